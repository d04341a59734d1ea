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
