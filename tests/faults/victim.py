"""A monitor's memory that dies on command: plays a ledger of results into a database, and is killed at one step.

With HOOK it tells people, too, and waits after each result until they have been told.

Usage: victim.py DATABASE FAILPOINT NTH BEGIN END [HOOK]
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from fks_master.alerts import store as alert_store
from fks_master.alerts.alerter import Alerter, Options
from fks_master.alerts.notify import Receiver
from fks_master.alerts.routes import Route
from fks_master.alerts.stages import World
from fks_master.alerts.store import Store
from fks_master.clock import SystemClock
from fks_master.history import MIGRATIONS
from fks_master.history.keeper import Retention
from fks_master.history.past import Past
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Event, Outcome, Policy, Reason, Result, Service
from fks_master.storage.sqlite import SQLite

START = datetime(2026, 1, 1, tzinfo=UTC)
SERVICE = Service("api", "Api", "http://127.0.0.1:1/h", timeout_seconds=1.0, tries=1)
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


async def play(path: Path, failpoint: str, nth: int, begin: int, end: int, hook: str = "") -> None:  # noqa: PLR0917
    clock = SystemClock()
    database = SQLite(path, (*MIGRATIONS, *alert_store.MIGRATIONS), killer(failpoint, nth))
    policy = Policy(failure_threshold=2)
    past = Past(database, lambda: hub.services, clock, Retention())
    hub = Hub([SERVICE], policy, Metrics(0.0), past.journal.record)
    remembered = await past.restore(hub.services)
    hub.restore(remembered)
    world = World(lambda: hub.services, lambda: hub.states)
    options = Options((Receiver("hook", "webhook", hook),) if hook else (), routes=(Route(("hook",)),), policy=policy)
    alerter = WatchedAlerter(options, world, Store(database), past.journal.follow, clock)
    await alerter.restore(remembered.newest)
    telling = asyncio.create_task(alerter.run() if hook else asyncio.sleep(0))
    await until_told(alerter, past) if hook else None
    for number in range(begin, end):
        hub.ingest(result(number))
        await past.journal.flush()
        await until_told(alerter, past) if hook else None
        print(number, flush=True)  # noqa: T201 - the ledger: this result and what it meant are on disk
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    await alerter.close() if hook else None
    await past.close()


class WatchedAlerter(Alerter):
    """Says up to which event everything is in the lanes."""

    taken = 0

    async def restore(self, newest: int) -> None:
        await super().restore(newest)
        self.taken = self._cursor

    async def _take(self, events: Sequence[Event], now: datetime) -> None:
        await super()._take(events, now)
        self.taken = self._cursor


async def until_told(alerter: WatchedAlerter, past: Past) -> None:
    while alerter.taken < past.journal._newest_readable or any(map(len, alerter.lanes.values())):  # noqa: ASYNC110
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(play(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:6]), *sys.argv[6:]))
