"""A monitor's memory that dies on command: plays a ledger of results into a database, and is killed at one step.

Usage: victim.py DATABASE FAILPOINT NTH BEGIN END
"""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fks_master.clock import SystemClock
from fks_master.history import MIGRATIONS
from fks_master.history.keeper import Retention
from fks_master.history.past import Past
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Outcome, Policy, Reason, Result, Service
from fks_master.storage.sqlite import SQLite

START = datetime(2026, 1, 1, tzinfo=UTC)
SERVICE = Service("api", "Api", "http://127.0.0.1:1/h")
PERIOD = 6  # three failures, then three successes; the threshold is two


def is_bad(number: int) -> bool:
    return number % PERIOD < PERIOD // 2


def result(number: int) -> Result:
    at = START + timedelta(seconds=30 * number)
    if is_bad(number):
        return Result("api", Outcome.FAILURE, at, 0.01, Reason.REFUSED, "refused")
    return Result("api", Outcome.SUCCESS, at, 0.01)


def killer(name: str, nth: int):
    count = 0

    def at(step: str) -> None:
        nonlocal count
        count += step == name
        if step == name and count == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    return at


async def play(path: Path, failpoint: str, nth: int, begin: int, end: int) -> None:
    clock = SystemClock()
    database = SQLite(path, MIGRATIONS, killer(failpoint, nth))
    past = Past(database, lambda: hub.services, clock, Retention())
    hub = Hub([SERVICE], Policy(failure_threshold=2), Metrics(0.0), past.journal.record)
    hub.restore(await past.restore(hub.services))
    for number in range(begin, end):
        hub.ingest(result(number))
        await past.journal.flush()
        print(number, flush=True)  # noqa: T201 - the ledger: this result and what it meant are on disk
    await past.close()


if __name__ == "__main__":
    asyncio.run(play(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:6])))
