"""What counts as progress, on which `/health`, the watchdog and the dead man's switch rely."""

import asyncio

from fks_master.model import Result, Service
from fks_master.scheduler.loop import Scheduler
from fks_master.testing import ManualClock


async def test_a_slow_rhythm_of_one_does_not_hide_that_all_have_stopped() -> None:
    clock = ManualClock()
    hold = asyncio.Event()

    async def hang(_: Service) -> Result:
        await hold.wait()
        raise AssertionError

    def service(name: str, interval: float) -> Service:
        url = f"http://{name}/"
        return Service(name, name, url, interval_seconds=interval, timeout_seconds=1, tries=1)

    scheduler = Scheduler(hang, lambda _: None, clock, 5)
    scheduler.watch([service("quick", 1), service("daily", 86400)])
    task = asyncio.create_task(scheduler.run())
    await clock.advance(15)
    assert scheduler.is_progressing()
    await clock.advance(2)
    assert not scheduler.is_progressing()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_a_reload_brings_has_its_time_before_its_silence_means_anything() -> None:
    clock = ManualClock()

    async def hang(_: Service) -> Result:
        await asyncio.Event().wait()
        raise AssertionError

    def service(name: str, interval: float) -> Service:
        return Service(name, name, f"http://{name}/", interval_seconds=interval, timeout_seconds=1, tries=1)

    scheduler = Scheduler(hang, lambda _: None, clock, 5)
    task = asyncio.create_task(scheduler.run())
    for before in ([service("daily", 86400)], []):
        scheduler.watch(before)
        await clock.advance(3600)
        scheduler.watch([*before, service("quick", 1)])
        assert scheduler.is_progressing()
        await clock.advance(17)
        assert not scheduler.is_progressing()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
