"""What remembering costs: results a second, CPU and bytes a result, and the time of the usual questions.

Usage: python bench/history.py [SERVICES] [RESULTS]
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fks_master.clock import SystemClock
from fks_master.history import MIGRATIONS, sketch
from fks_master.history.keeper import Retention
from fks_master.history.past import Past
from fks_master.history.recorder import SQL
from fks_master.model import Change, Outcome, Result, Service, State, Status
from fks_master.storage.database import Query
from fks_master.storage.sqlite import SQLite


async def main(services: int, results: int) -> None:
    watched = {f"s{number}": Service(f"s{number}", "S", "http://127.0.0.1:1/") for number in range(services)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fks.db")
        database, clock = SQLite(path, MIGRATIONS), SystemClock()
        past = Past(database, lambda: watched, clock, Retention())
        await past.restore(watched)
        start = datetime.now(UTC) - timedelta(seconds=30 * results / services)
        changes = [change(number, services, start) for number in range(results)]
        wall, cpu = time.perf_counter(), time.process_time()
        for number, each in enumerate(changes, 1):
            past.journal.record(each)
            if number % 5000 == 0:
                await past.journal.close()
        await past.journal.close()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(f"stored: {results / wall:,.0f}/s, {cpu / results * 1e6:.1f} us CPU a result")
        pages = await database.fetch(
            Query.parse("size", "SELECT SUM(pgsize) AS size FROM dbstat WHERE name = :name"), name="results"
        )
        print(f"disk: {pages[0]['size'] / results:.1f} bytes a result")
        cpu = time.process_time()
        await past.keeper.turn()
        print(f"roll-up: {(time.process_time() - cpu) / results * 1e6:.1f} us CPU a result")
        now = datetime.now(UTC)
        await fill(past, database, services)
        await timed("90 days, one service: uptime and chart", past.measures.uptime("s1", now - timedelta(days=90), now),
                    past.measures.series("s1", now - timedelta(days=90), now))  # fmt: skip
        await timed("30 days, all services: uptime", past.measures.fleet(now - timedelta(days=30), now))
        await past.close()


def change(number: int, services: int, start: datetime) -> Change:
    name = f"s{number % services}"
    at = start + timedelta(seconds=30 * number / services)
    result = Result(name, Outcome.SUCCESS, at, 0.01 + number % 97 / 10_000)
    return Change(State(name, Status.HEALTHY, at, at, last=result), None, (), result)


async def fill(past: Past, database: SQLite, services: int) -> None:
    """Put in 90 days: hours for one service, and ten incidents of every service."""
    hour = int(time.time()) // 3600 * 3_600_000
    counts = sketch.pack({250 + number: 3 for number in range(40)})
    rows = [(3600, past.recorder.numbers["s1"], hour - 3_600_000 * back, 120, 1, 1_200_000, 9000, 30_000, counts)
            for back in range(24 * 90)]  # fmt: skip
    day = 86_400_000
    spans = [(number, hour - back * 9 * day + shift * day, hour - back * 9 * day + shift * day + day // 2, status)
             for number in range(1, services + 1)
             for back in range(1, 11) for shift, status in ((0, 1), (1, 3))]  # fmt: skip
    await database.execute(SQL["store_rollup"].many(rows), SQL["store_span"].many(spans))


async def timed(name: str, *questions: Awaitable[object]) -> None:
    wall = time.perf_counter()
    for question in questions:
        await question
    print(f"{name}: {(time.perf_counter() - wall) * 1000:.1f} ms")


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:3]]
    asyncio.run(main(*(given if len(given) == 2 else (1000, 200_000))))
