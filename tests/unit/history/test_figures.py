import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fks_master.history import MIGRATIONS, sketch
from fks_master.history.keeper import Retention
from fks_master.history.measures import Measures
from fks_master.history.past import Past
from fks_master.history.recorder import SQL
from fks_master.history.uptime import from_spans
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Outcome, Policy, Reason, Result, Service
from fks_master.storage.database import Query, to_ms
from fks_master.storage.sqlite import SQLite

SERVICE = Service(
    "api", "Api", "http://127.0.0.1:1/h", interval_seconds=30, timeout_seconds=1, tries=1, expected_response_time_ms=500
)
START = datetime(2026, 1, 1, tzinfo=UTC)
LONGEST = 2 * 30 + 2 + 5


class Clock:
    """Two clocks: one that never steps, and one that does."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.wall = START

    def advance(self, seconds: float) -> None:
        self.elapsed += seconds
        self.wall += timedelta(seconds=seconds)

    def monotonic(self) -> float:
        return self.elapsed

    def now(self) -> datetime:
        return self.wall

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing sleeps here")


class World:
    """What one process has; a second one on the same database is the next process."""

    def __init__(self, database: SQLite, clock: Clock) -> None:
        self.clock = clock
        self.past = Past(database, lambda: self.hub.services, clock, Retention())
        self.hub = Hub([SERVICE], Policy(), Metrics(0.0), self.past.journal.record)

    async def start(self) -> "World":
        self.hub.restore(await self.past.restore(self.hub.services))
        return self

    def look(self, kind: str, seconds: float = 0.1) -> None:
        outcome = Outcome.FAILURE if kind == "bad" else Outcome.VOID if kind == "void" else Outcome.SUCCESS
        reason = Reason.REFUSED if kind == "bad" else None
        self.hub.ingest(Result("api", outcome, self.clock.wall, 0.9 if kind == "slow" else seconds, reason))

    @property
    def measures(self) -> Measures:
        return self.past.measures


@pytest.fixture
async def database() -> AsyncIterator[SQLite]:
    one = SQLite(None, MIGRATIONS)
    await one.open()
    yield one
    await one.close()


STEP = st.tuples(
    st.sampled_from(["good", "good", "slow", "bad", "void", "stop", "kill", "tick", "ahead", "back"]),
    st.integers(1, 90_000).map(lambda milliseconds: milliseconds / 1000),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEP, min_size=1, max_size=30))
async def test_uptime_equals_a_ledger_across_gaps_restarts_and_clock_steps(steps: list[tuple[str, float]]) -> None:
    database, clock = SQLite(None, MIGRATIONS), Clock()
    world = await World(database, clock).start()
    ledger, status, since = {"good": 0.0, "slow": 0.0, "bad": 0.0}, None, 0.0
    for kind, seconds in steps:
        clock.advance(seconds)
        if kind in {"stop", "kill"}:
            await (world.past.journal.close() if kind == "stop" else world.past.journal.tick())
            world, status = await World(database, clock).start(), None
        elif kind == "tick":
            await world.past.journal.tick()
        elif kind in {"ahead", "back"}:
            clock.wall += timedelta(days=1 if kind == "ahead" else -1)  # steps below two seconds are no steps
        else:
            world.look(kind)
        if kind in ledger:
            if status and clock.elapsed - since <= LONGEST:
                ledger[status] += clock.elapsed - since
            status, since = kind, clock.elapsed
    await world.past.journal.close()
    found = await world.measures.uptime("api", START - timedelta(days=60), START + timedelta(days=60))
    await database.close()
    told = (found.healthy_seconds, found.degraded_seconds, found.unhealthy_seconds)
    assert told == pytest.approx(tuple(ledger.values()), abs=0.005 * len(steps))
    known = sum(ledger.values())
    if known > 300:
        assert found.uptime_percent == pytest.approx(100 * (known - ledger["bad"]) / known, abs=0.01)


async def test_what_a_killed_process_had_seen_is_known_to_the_last_result(database: SQLite) -> None:
    clock = Clock()
    world = await World(database, clock).start()
    for _ in range(9):
        world.look("good")
        await world.past.journal.tick()
        clock.advance(30)
    [left] = await database.fetch(SQL["open_spans"])
    assert left["ended_ms"] < to_ms(clock.wall) - 60_000
    clock.advance(600)
    world = await World(database, clock).start()
    found = await world.measures.uptime("api", START, clock.wall)
    assert (found.healthy_seconds, found.unknown_seconds) == (240, 630)


def test_a_range_cuts_spans_and_maintenance_counts_as_neither() -> None:
    found = from_spans([(0, 100_000, 1), (100_000, 200_000, 3)], 50_000, 250_000, [(100_000, 150_000)])
    assert (found.healthy_seconds, found.unhealthy_seconds) == (50, 50)
    assert (found.unknown_seconds, found.maintenance_seconds) == (50, 50)
    assert found.uptime_percent == 50


@given(st.lists(st.integers(0, 10**8), min_size=1), st.floats(0, 1))
def test_a_percentile_is_right_to_two_per_cent_and_sketches_survive_packing(values: list[int], share: float) -> None:
    counts: sketch.Counts = {}
    for each in values:
        sketch.merge(counts, {sketch.bucket(each): 1})
    assert sketch.unpack(sketch.pack(counts)) == counts
    exact = sorted(values)[int(share * (len(values) - 1))]
    assert sketch.quantiles(counts, [share]) == [pytest.approx(exact, rel=0.021, abs=2)]


async def test_a_chart_is_the_same_from_results_and_from_roll_ups(database: SQLite) -> None:
    clock = Clock()
    world = await World(database, clock).start()
    for number in range(240):
        clock.advance(30)
        world.look("bad" if number % 10 == 0 else "good", 0.01 + number / 10_000)
    clock.advance(10)
    await world.past.journal.close()
    raw = await world.measures.series("api", START, clock.wall)
    total = await world.measures.latency("api", START, clock.wall)
    await world.past.keeper.turn()
    assert set(world.past.keeper.marks) == {60, 3600, 86400}
    assert await world.measures.series("api", START, clock.wall) == raw
    assert await world.measures.latency("api", START, clock.wall) == total
    assert (total.count, total.failures, total.max_ms) == (240, 24, 33.9)
    assert total.p50_ms == pytest.approx(22, rel=0.03)
    assert len(raw.statuses) == 48
    later = await World(database, clock).start()
    await later.past.keeper.turn()
    assert await later.measures.series("api", START, clock.wall) == raw


async def test_pruning_leaves_what_is_to_stay(database: SQLite) -> None:
    clock = Clock()
    world = await World(database, clock).start()
    for _ in range(4):
        clock.advance(30)
        world.look("good")
    await world.past.journal.close()
    clock.advance(3600)
    await world.past.keeper.turn()
    clock.advance(3 * 86400)
    await world.past.keeper.turn()
    since = to_ms(START)
    rows = await database.fetch(SQL["results"], service=1, since_ms=since, until_ms=to_ms(clock.wall))
    assert list(rows) == []
    assert (await world.measures.latency("api", START, clock.wall)).count == 4


async def test_a_clock_that_was_decades_behind_costs_no_look_at_every_minute_between(database: SQLite) -> None:
    clock = Clock()
    world = await World(database, clock).start()
    clock.wall = datetime(1970, 1, 2, tzinfo=UTC)
    for _ in range(3):
        clock.advance(30)
        world.look("good")
    clock.wall = START
    world.look("good")
    clock.advance(120)
    await world.past.journal.close()
    async with asyncio.timeout(20):  # thirty million minutes would take hours
        await world.past.keeper.roll_up()
    minutes = Query.parse("minutes", "SELECT SUM(count) AS checks FROM rollups WHERE step = 60")
    assert (await database.fetch(minutes))[0]["checks"] == 4


async def test_the_newest_event_stays_so_that_numbers_go_on(database: SQLite) -> None:
    clock = Clock()
    world = await World(database, clock).start()
    world.look("good")
    world.look("bad")
    await world.past.journal.tick()
    newest = (await world.past.journal.restore()).newest
    clock.advance(86400 * 500)
    await world.past.keeper.prune_others()
    assert (await world.past.journal.restore()).newest == newest > 1


async def test_the_fleet_is_summed_up_at_once(database: SQLite) -> None:
    clock = Clock()
    world = await World(database, clock).start()
    for kind in ("good", "bad", "good"):
        world.look(kind)
        clock.advance(30)
    for write in (None, world.past.journal.tick, world.past.journal.close):
        await (write() if write else asyncio.sleep(0))
        fleet = await world.measures.fleet(START, clock.wall)
        assert fleet["api"] == await world.measures.uptime("api", START, clock.wall)
        assert fleet["api"].uptime_percent == 50
