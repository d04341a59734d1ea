"""What remembering costs: results a second, CPU and bytes a result, and the time of the usual questions.

Usage: python bench/history.py [SERVICES] [RESULTS]
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fks_master.history import MIGRATIONS, sketch
from fks_master.history.keeper import Retention
from fks_master.history.past import Past
from fks_master.history.recorder import SQL
from fks_master.model import Change, Outcome, Result, Service, State, Status
from fks_master.storage.database import Query
from fks_master.storage.sqlite import SQLite
from fks_master.testing import PassingClock


async def main(services: int, results: int) -> None:
    watched = {f"s{number}": Service(f"s{number}", "S", "http://127.0.0.1:1/") for number in range(services)}
    await full_speed(watched, results)
    await as_it_is(watched, results // 2)
    await a_year()
    clock = PassingClock(datetime.now(UTC))
    with opened(watched, clock) as (past, database, _):
        await past.restore(watched)
        for number in range(services):
            past.journal.record(change(number, services, clock.now()))
        await past.journal.close()
        await past.keeper.turn()
        now = clock.now()
        await fill(past, database, services)
        for _ in range(2):
            await timed("90 days, one service: uptime and chart",
                        past.measures.uptime("s1", now - timedelta(days=90), now),
                        past.measures.series("s1", now - timedelta(days=90), now))  # fmt: skip
            await timed("30 days, all services: uptime", past.measures.fleet(now - timedelta(days=30), now))
        end, day = int(now.timestamp() * 1000), 86_400_000
        nights = [(name, at, at + 3_600_000) for name in watched for at in range(end - 30 * day, end, day)]
        await database.execute(SQL["store_maintenance"].many(nights))
        await timed("the same, with an hour of maintenance every night",
                    past.measures.fleet(now - timedelta(days=30), now))  # fmt: skip
        await past.close()


@contextmanager
def opened(watched: dict[str, Service], clock: PassingClock) -> Iterator[tuple[Past, SQLite, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fks.db")
        database = SQLite(path, MIGRATIONS)
        yield Past(database, lambda: watched, clock, Retention()), database, path


async def full_speed(watched: dict[str, Service], results: int) -> None:
    """As many as go: a commit for every 5,000."""
    start = datetime.now(UTC) - timedelta(seconds=30 * results / len(watched))
    clock = PassingClock(start)
    with opened(watched, clock) as (past, database, _):
        await past.restore(watched)
        changes = [change(number, len(watched), start) for number in range(results)]
        wall, cpu = time.perf_counter(), time.process_time()
        for number, each in enumerate(changes, 1):
            clock.elapsed = 30 * number / len(watched)
            past.journal.record(each)
            if number % 5000 == 0:
                await past.journal.tick()
        await past.journal.close()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(f"stored: {results / wall:,.0f}/s, {cpu / results * 1e6:.1f} us CPU a result")
        size = Query.parse("size", "SELECT SUM(pgsize) AS size FROM dbstat WHERE name = :name")
        pages = await database.fetch(size, name="results")
        print(f"disk: {pages[0]['size'] / results:.1f} bytes a result")
        await past.close()


async def as_it_is(watched: dict[str, Service], results: int) -> None:
    """At the pace of a real fleet, checked every 30 s: a commit every 5 s, a turn of the keeper every five minutes."""
    each_time = max(1, len(watched) // 6)
    start = datetime.now(UTC) - timedelta(seconds=30 * results / len(watched))
    clock = PassingClock(start)
    with opened(watched, clock) as (past, _, _path):
        await past.restore(watched)
        changes = [change(number, len(watched), start) for number in range(results)]
        cpu, spent = time.process_time(), 0.0
        for number, each in enumerate(changes, 1):
            clock.elapsed = 30 * number / len(watched)
            past.journal.record(each)
            if number % each_time == 0:
                await past.journal.tick()
            if number % (10 * len(watched)) == 0:
                before = time.process_time()
                await past.keeper.turn()
                spent += time.process_time() - before
        cpu = time.process_time() - cpu
        await past.close()
        print(f"at the pace of {len(watched)} services: {(cpu - spent) / results * 1e6:.1f} + "
              f"{spent / results * 1e6:.1f} us CPU a check (storing + rolling up)")  # fmt: skip


async def a_year(services: int = 10, days: int = 4) -> None:
    """Services checked every 30 s with latencies that vary: what is left of one after a year, raw results aside."""
    watched = {f"s{number}": Service(f"s{number}", "S", "http://127.0.0.1:1/") for number in range(services)}
    chance = random.Random(1)
    start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    clock = PassingClock(start)
    with opened(watched, clock) as (past, database, _):
        await past.restore(watched)
        for number in range(days * 2880 * services):
            clock.elapsed = 30 * number / services
            name = f"s{number % services}"
            result = Result(name, Outcome.SUCCESS, clock.now(), chance.lognormvariate(-3, 0.5))
            past.journal.record(Change(State(name, Status.HEALTHY, start, start, last=result), None, (), result))
            if number % 3000 == 2999:
                await past.journal.tick()
                await past.keeper.roll_up()
        await past.journal.close()
        clock.elapsed += 60
        await past.keeper.roll_up()
        size = Query.parse("size", "SELECT SUM(pgsize) AS size, SUM(unused) AS unused FROM dbstat WHERE name = :name")
        [pages] = await database.fetch(size, name="rollups")
        rows = Query.parse(
            "rows", "SELECT step, COUNT(*) AS n, SUM(LENGTH(sketch)) AS bytes FROM rollups GROUP BY step"
        )
        steps = {row["step"]: row for row in await database.fetch(rows)}
        beside = (pages["size"] - sum(row["bytes"] for row in steps.values())) / sum(row["n"] for row in steps.values())
        sizes = {step: beside + row["bytes"] / row["n"] for step, row in steps.items()}
        total = sizes[60] * 1440 * 14 + sizes[3600] * 24 * 365 + sizes[86400] * 365
        print(f"one service and year after roll-up: {total / 1e6:.2f} MB "
              f"({', '.join(f'{size:.0f} bytes a row of {step} s' for step, size in sizes.items())})")  # fmt: skip
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
    today, number = hour // day * day, past.recorder.numbers["s1"]
    rows += [(86_400, number, today - day * back, 2880, 24, 28_800_000, 9000, 30_000, counts) for back in range(1, 91)]
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
