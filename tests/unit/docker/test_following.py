import asyncio

import pytest

from fks_master.docker.engine import LogQuery
from fks_master.docker.following import LOOK_SECONDS, Following
from fks_master.testing.clock import ManualClock
from fks_master.testing.engine import FakeEngine

TAIL = LogQuery(tail=10, is_following=True)


class Reader:
    """Follows the container "one" in a task, and keeps what it read."""

    def __init__(self, engine: FakeEngine, clock: ManualClock) -> None:
        self.read: list[str] = []
        self.engine, self.clock = engine, clock

    async def follow(self) -> None:
        following = Following(self.engine, self.clock, "one", await self.engine.logs("one", TAIL))
        async for line in following:
            self.read.append(line.text)

    async def write(self, text: str) -> None:
        await self.clock.advance(0.1)
        self.engine.write("one", text)
        await self.clock.advance(0.1)


@pytest.fixture
def reader() -> Reader:
    clock = ManualClock()
    engine = FakeEngine(clock)
    engine.run("one")
    return Reader(engine, clock)


async def test_it_goes_on_when_the_container_runs_again(reader: Reader) -> None:
    reading = asyncio.create_task(reader.follow())
    await reader.write("first")
    await reader.engine.restart("one")
    await reader.write("right after the restart")
    await reader.clock.advance(LOOK_SECONDS)
    await reader.write("later")
    assert reader.read == ["first", "right after the restart", "later"]
    reading.cancel()


async def test_it_shows_a_run_that_was_over_before_anybody_looked(reader: Reader) -> None:
    reading = asyncio.create_task(reader.follow())
    await reader.write("first")
    reader.engine.crash("one")
    await reader.clock.advance(3 * LOOK_SECONDS)
    await reader.engine.start("one")
    await reader.write("it fails again")
    reader.engine.crash("one")
    await reader.clock.advance(2 * LOOK_SECONDS)
    assert reader.read == ["first", "it fails again"]
    reading.cancel()


async def test_it_goes_on_with_the_container_that_takes_the_place(reader: Reader) -> None:
    reading = asyncio.create_task(reader.follow())
    await reader.write("old")
    reader.engine.remove("one")
    await reader.clock.advance(3 * LOOK_SECONDS)
    reader.engine.run("one")
    await reader.write("new")
    await reader.clock.advance(LOOK_SECONDS)
    assert reader.read == ["old", "new"]
    reading.cancel()


async def test_docker_may_be_away_meanwhile(reader: Reader) -> None:
    reading = asyncio.create_task(reader.follow())
    await reader.write("before")
    reader.engine.crash("one")
    reader.engine.is_absent = True
    await reader.clock.advance(5 * LOOK_SECONDS)
    reader.engine.is_absent = False
    await reader.engine.start("one")
    await reader.write("after")
    await reader.clock.advance(2 * LOOK_SECONDS)
    assert reader.read == ["before", "after"]
    reading.cancel()
