import asyncio

from fks_master.testing import ManualClock


async def test_sleepers_wake_in_order_each_at_its_moment() -> None:
    clock = ManualClock()
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, *naps: float) -> None:
        for seconds in naps:
            await clock.sleep(seconds)
            woken.append((name, clock.monotonic()))

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper("a", 2, 2))
        group.create_task(sleeper("b", 3, 0))
        await clock.advance(1.5)
        assert woken == []
        await clock.advance(10)
    assert woken == [("a", 2), ("b", 3), ("b", 3), ("a", 4)]
    assert (clock.now() - ManualClock().now()).total_seconds() == 11.5


async def test_a_sleeper_that_was_cancelled_wakes_nobody() -> None:
    clock = ManualClock()
    task = asyncio.create_task(clock.sleep(1))
    await clock.settle()
    task.cancel()
    await clock.advance(2)
    assert task.cancelled()
