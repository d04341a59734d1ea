import asyncio

import pytest

from fks_master.clock import SystemClock
from fks_master.model import Outcome, Result, Service
from fks_master.scheduler.lag import LAG_SECONDS, TICK_SECONDS, LagWatch
from fks_master.scheduler.loop import Scheduler
from fks_master.testing.clock import ManualClock


class Stepping(SystemClock):
    """Its monotonic time is what a test says."""

    def __init__(self) -> None:
        self.moment = 100.0

    def monotonic(self) -> float:
        return self.moment


async def test_a_pause_is_told_once_by_whoever_looks_first_and_remembered() -> None:
    clock, told = Stepping(), list[float]()
    watch = LagWatch(clock, told.append)
    watch.look()
    assert told == [], "it has not begun"
    running = asyncio.create_task(watch.run())
    await asyncio.sleep(0)
    clock.moment += TICK_SECONDS + LAG_SECONDS - 0.01
    watch.look()
    assert told == []
    clock.moment += 4
    assert watch.has_paused_since(101.0)
    assert told == [pytest.approx(4 + LAG_SECONDS - 0.01)]
    assert watch.lag_seconds == told[0]
    assert not watch.has_paused_since(clock.moment + 1)
    assert len(told) == 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_waited_for_a_slot_during_a_pause_is_spread_and_a_first_look_is_not() -> None:
    clock, asked, hold = ManualClock(), list[str](), asyncio.Event()

    async def probe(service: Service) -> Result:
        asked.append(service.id)
        if service.id == "a hog" and len(asked) > 1:
            await hold.wait()
        return Result(service.id, Outcome.SUCCESS, clock.now())

    pauses: list[float] = []
    scheduler = Scheduler(probe, lambda _: None, clock, 1, on_pause=pauses.append)
    hog, known = (Service(name, "", "http://a/", interval_seconds=10) for name in ("a hog", "known"))
    scheduler.watch([hog, known])
    running = asyncio.create_task(scheduler.run())
    await clock.settle()
    assert sorted(asked) == ["a hog", "known"]
    scheduler.look_now(["a hog"])
    await clock.settle()
    scheduler.look_now(["known"])
    scheduler.watch([hog, known, Service("fresh", "", "http://c/", interval_seconds=10)])
    await clock.advance(0.1)
    assert len(asked) == 3, "the one slot is taken"
    scheduler._resume(10.0)
    assert pauses == [10.0]
    assert [check.service.id for check in scheduler._lanes._queue] == ["fresh"]
    assert "known" in scheduler._due_at
    hold.set()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
