"""Charts kept in memory: averages, tiers, rates, and what is let go."""

import asyncio
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from fks_master.docker.usage import Usage
from fks_master.events.bus import Bus
from fks_master.metrics.course import Course
from fks_master.metrics.rings import Rings, Tier
from fks_master.model import Change, Event, EventType, Outcome, Phases, Result, Service, State

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = START, START + timedelta(hours=1)
SECOND = START.timestamp()


def usage(received: int | None, cpu: float | None = 50.0) -> Usage:
    return Usage(cpu_percent=cpu, memory_bytes=100, memory_limit_bytes=200, network_in_bytes=received)


def test_each_slot_holds_the_average_of_what_is_known() -> None:
    rings = Rings([Tier(10, 6)], 2)
    for at, figures in ((0, (1.0, math.nan)), (9, (3.0, 5.0)), (10, (7.0, math.nan))):
        rings.add(at, figures)
    step, found = rings.read(0, 100, 400)
    assert step == 10
    assert [at for at, _ in found] == [0, 10]
    assert list(found[0][1]) == [2.0, 5.0]
    assert found[1][1][0] == 7.0
    assert math.isnan(found[1][1][1])


def test_a_tier_keeps_no_more_than_it_may_and_feeds_the_next() -> None:
    rings = Rings([Tier(10, 6), Tier(60, 100)], 1)
    for at in range(0, 6000, 10):
        rings.add(at, (float(at),))
    fine, found = rings.read(5940, 6000, 400)
    assert (fine, len(found)) == (10, 6)
    coarse, found = rings.read(0, 6000, 400)
    assert coarse == 60
    assert 98 <= len(found) <= 100
    assert found[0][1][0] == pytest.approx(25.0)


def test_a_range_of_too_many_points_is_read_coarser() -> None:
    rings = Rings([Tier(1, 1000), Tier(60, 100)], 1)
    for at in range(600):
        rings.add(at, (1.0,))
    assert rings.read(0, 600, 100)[0] == 60
    assert rings.read(0, 600, 600)[0] == 1


def test_counters_become_rates_and_one_that_began_anew_is_unknown() -> None:
    course = Course()
    for at, received in ((0, 1000), (10, 3000), (20, 10)):
        course.use("a", SECOND + at, usage(received))
    _, points = course.usage("a", START, START + timedelta(minutes=1))
    rates = [figures[3] for _, figures in points]
    assert math.isnan(rates[0])
    assert rates[1] == pytest.approx(200.0)
    assert math.isnan(rates[2])
    assert [figures[0] for _, figures in points] == [50.0, 50.0, 50.0]


def test_nothing_is_known_of_what_was_never_seen() -> None:
    assert Course().usage("a", START, START + timedelta(hours=1)) == (0, [])


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - a chart tells nobody of its growth
            await asyncio.sleep(0.001)


async def test_phases_of_answered_checks_are_kept_until_the_service_goes() -> None:
    bus: Bus[Change] = Bus()
    course = Course()
    services = {"a": Service(id="a", name="a", health_endpoint="http://a/")}
    following = asyncio.create_task(course.follow(bus, lambda: services))
    await asyncio.sleep(0)
    phases = Phases(connect=0.002, first_byte=0.004)
    for outcome, taken in ((Outcome.SUCCESS, phases), (Outcome.FAILURE, Phases())):
        bus.publish(Change(State("a"), None, (), Result("a", outcome, START, phases=taken)))
    await until(lambda: bool(course.phases("a", *HOUR)[1]))
    _, points = course.phases("a", START, START + timedelta(minutes=5))
    assert [round(one, 4) for one in points[0][1]] == [0.0, 0.002, 0.0, 0.004, 0.0]
    services.clear()
    bus.publish(Change(None, None, (Event(EventType.CONFIG_RELOADED, "", START),)))
    await until(lambda: course.phases("a", *HOUR) == (0, []))
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
