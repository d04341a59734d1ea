"""What is known of containers, over the engine in memory."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from fks_master.docker.container import Container
from fks_master.docker.facts import LIST_SECONDS, PING_SECONDS, RETRY_SECONDS, Facts
from fks_master.testing import FakeEngine, ManualClock


class Heard:
    def __init__(self) -> None:
        self.deaths: list[tuple[str, int | None, bool]] = []
        self.changes: list[tuple[str, str]] = []
        self.listings = 0

    def died(self, container: Container, *, was_stopped: bool) -> None:
        self.deaths.append((container.name, container.exit_code, was_stopped))

    def changed(self, container: Container, kind: str) -> None:
        self.changes.append((container.name, kind))

    def listed(self) -> None:
        self.listings += 1


class Stage:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.engine = FakeEngine(self.clock)
        self.heard = Heard()
        self.facts = Facts(self.engine, self.clock, self.heard)
        self.task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        self.task = asyncio.create_task(self.facts.run())
        await self.clock.settle()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    one = Stage()
    one.engine.run("api")
    yield one
    if one.task:
        one.task.cancel()
        await asyncio.gather(one.task, return_exceptions=True)


async def test_a_crash_is_told_before_anything_is_asked(stage: Stage) -> None:
    await stage.begin()
    stage.engine.calls.clear()
    await stage.clock.advance(1)
    stage.engine.is_hanging = True
    stage.engine.crash("api", 7)
    await stage.clock.settle()
    assert stage.heard.deaths == [("api", 7, False)]
    known = stage.facts.of("api")
    assert known is not None
    assert (known.state, known.exit_code) == ("exited", 7)


async def test_a_stop_and_a_kill_are_no_crash_and_a_harmless_signal_makes_none(stage: Stage) -> None:
    await stage.begin()
    await stage.engine.stop("api")
    await stage.engine.start("api")
    stage.engine.kill("api")
    await stage.engine.start("api")
    stage.engine.kill("api", 10)
    await stage.clock.advance(1)
    stage.engine.crash("api")
    await stage.clock.settle()
    assert stage.heard.deaths == [("api", 143, True), ("api", 137, True), ("api", 1, False)]


async def test_a_signal_that_ended_nothing_is_forgotten_in_time(stage: Stage) -> None:
    await stage.begin()
    stage.engine.kill("api", 1)
    await stage.clock.advance(700)
    stage.engine.crash("api")
    await stage.clock.settle()
    assert stage.heard.deaths[-1] == ("api", 1, False)


async def test_want_of_memory_is_known_from_the_events(stage: Stage) -> None:
    await stage.begin()
    stage.engine.crash("api", 137, is_oom=True)
    await stage.clock.settle()
    known = stage.facts.of("api")
    assert known is not None
    assert known.oom_killed
    assert ("api", "oom") in stage.heard.changes


async def test_while_docker_hangs_facts_are_unknown_and_nobody_died(stage: Stage) -> None:
    await stage.begin()
    stage.engine.is_hanging = True
    await stage.clock.advance(PING_SECONDS)
    assert stage.facts.of("api") is None
    assert (stage.facts.all(), stage.facts.version) == ([], None)
    stage.engine.is_hanging = False
    await stage.clock.advance(RETRY_SECONDS)
    assert stage.facts.of("api") is not None
    assert stage.heard.deaths == []


async def test_what_happened_while_we_were_away_is_told_once(stage: Stage) -> None:
    await stage.begin()
    stage.engine.run("web")
    await stage.clock.settle()
    stage.engine.is_hanging = True
    await stage.clock.advance(PING_SECONDS)
    await stage.clock.advance(0.5)
    stage.engine.crash("web", 3)
    stage.engine.is_hanging = False
    await stage.clock.advance(RETRY_SECONDS)
    assert stage.heard.deaths == [("web", 3, False)]


async def test_a_daemon_that_was_started_anew_tells_by_its_list_alone(stage: Stage) -> None:
    await stage.begin()
    stage.engine.vanish()
    await stage.clock.settle()
    stage.engine.is_absent = False
    stage.engine.crash("api", 9)
    stage.engine._events.clear()
    await stage.clock.advance(RETRY_SECONDS)
    assert stage.heard.deaths == [("api", 9, False)]


async def test_a_death_right_after_one_that_a_list_told_counts(stage: Stage) -> None:
    await stage.begin()
    stage.engine.vanish()
    await stage.clock.settle()
    stage.engine.is_absent = False
    stage.engine.crash("api", 9)
    stage.engine._events.clear()
    await stage.clock.advance(RETRY_SECONDS)
    await stage.engine.start("api")
    stage.engine.crash("api", 7)
    await stage.clock.settle()
    assert stage.heard.deaths == [("api", 9, False), ("api", 7, False)]


async def test_everything_is_listed_anew_once_a_minute(stage: Stage) -> None:
    await stage.begin()
    assert stage.heard.listings == 1
    stage.engine._containers.clear()
    await stage.clock.advance(LIST_SECONDS)
    assert stage.heard.listings == 2
    assert stage.facts.of("api") is None
    assert ("api", "destroy") in stage.heard.changes


async def test_a_container_is_found_under_its_new_name(stage: Stage) -> None:
    await stage.begin()
    stage.engine.rename("api", "old")
    fresh = stage.engine.run("api")
    await stage.clock.settle()
    assert stage.facts.of("api") == fresh
    assert stage.facts.of("old") is not None
    stage.engine.remove("old")
    await stage.clock.settle()
    assert (stage.facts.of("api"), stage.facts.of("old")) == (fresh, None)


async def test_absence_is_said_once(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.engine.is_absent = True
    await stage.begin()
    await stage.clock.advance(10 * RETRY_SECONDS)
    assert capsys.readouterr().out.count("docker_absent") == 1
