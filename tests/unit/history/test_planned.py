"""Maintenance is noted as it happens, and its time stands apart."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from tests.unit.history.test_figures import START, Clock, World

from fks_master.history import MIGRATIONS
from fks_master.storage.sqlite import SQLite


@pytest.fixture
async def database() -> AsyncIterator[SQLite]:
    one = SQLite(None, MIGRATIONS)
    await one.open()
    yield one
    await one.close()


def live(world: World, kind: str, seconds: int) -> None:
    for second in range(seconds):
        if second % 30 == 0:
            world.look(kind)
        world.past.planned.look()
        world.clock.advance(1)


async def test_downtime_in_maintenance_is_none_and_outlives_the_plan(database: SQLite) -> None:
    world = await World(database, Clock()).start()
    live(world, "good", 600)
    world.past.planned.active = lambda _: {"api"}
    live(world, "bad", 300)
    await world.past.journal.tick()
    world.past.planned.active = lambda _: ()
    live(world, "bad", 60)
    live(world, "good", 640)
    end = world.clock.wall
    for _ in range(2):
        found = await world.measures.uptime("api", START, end)
        assert (found.maintenance_seconds, found.unhealthy_seconds) == (300, 60)
        assert found.uptime_percent == pytest.approx(100 * 1230 / 1290, abs=0.01)
        assert (await world.measures.fleet(START, end))["api"] == found
        assert [day.maintenance_seconds for day in await world.measures.days("api", 1, end)] == [300]
        await world.past.journal.close()
        world = await World(database, world.clock).start()


async def test_a_step_of_the_clock_plans_nothing(database: SQLite) -> None:
    world = await World(database, Clock()).start()
    world.past.planned.active = lambda _: {"api"}
    for hours in (0, 5, -9, 1):
        world.clock.wall += timedelta(hours=hours)
        live(world, "good", 61)
    await world.past.journal.close()
    found = await world.measures.uptime("api", START - timedelta(days=1), START + timedelta(days=1))
    assert found.maintenance_seconds <= 4 * 61


async def test_days_are_cut_at_midnight(database: SQLite) -> None:
    world = await World(database, Clock()).start()
    world.clock.advance(86_400 - 60)
    live(world, "bad", 120)
    live(world, "good", 1)
    yesterday, today = await world.measures.days("api", 2, world.clock.wall)
    assert (yesterday.unhealthy_seconds, today.unhealthy_seconds) == (60, 60)
    assert yesterday.unknown_seconds == 86_340
