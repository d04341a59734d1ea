"""The engine in memory keeps what the real daemon keeps."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Protocol, Self

import pytest
from tests.docker_engine import Engine as Daemon

from fks_master.docker.container import ContainerEvent
from fks_master.docker.engine import DockerEngine, Engine, LogQuery
from fks_master.errors import DockerError, NoDockerError, NotFoundError
from fks_master.testing import FakeEngine

pytestmark = pytest.mark.timeout(1200)  # the first test on a fresh machine installs the engine


class World(Protocol):
    """An engine, and what others do to its containers."""

    engine: Engine

    async def run(self, name: str, **labels: str) -> None: ...

    async def crash(self, name: str) -> None:
        """End it by itself, with code 7."""
        ...

    async def kill(self, name: str) -> None: ...

    async def remove(self, name: str) -> None: ...

    async def write(self, name: str, text: str) -> None: ...


class Fake:
    def __init__(self) -> None:
        self.engine = self._fake = FakeEngine()

    async def run(self, name: str, **labels: str) -> None:
        self._fake.run(name, labels)

    async def crash(self, name: str) -> None:
        self._fake.crash(name, 7)

    async def kill(self, name: str) -> None:
        self._fake.kill(name)

    async def remove(self, name: str) -> None:
        self._fake.remove(name)

    async def write(self, name: str, text: str) -> None:
        self._fake.write(name, text)


class Real:
    SCRIPT = "rm -f /crash; trap 'exit 143' TERM; while [ ! -e /crash ]; do sleep 0.02; done; exit 7"

    def __init__(self, daemon: Daemon) -> None:
        self.engine = DockerEngine(daemon.host)
        self._daemon = daemon

    async def _docker(self, *arguments: str) -> str:
        return await asyncio.to_thread(self._daemon.docker, *arguments)

    async def run(self, name: str, **labels: str) -> None:
        said = [part for key, value in labels.items() for part in ("--label", f"{key}={value}")]
        await self._docker("run", "-d", "--network", "host", "--name", name, *said, "fks/box", "sh", "-c", self.SCRIPT)

    async def crash(self, name: str) -> None:
        await asyncio.to_thread(self._daemon.crash, name)

    async def kill(self, name: str) -> None:
        await self._docker("kill", name)

    async def remove(self, name: str) -> None:
        await self._docker("rm", "--force", name)

    async def write(self, name: str, text: str) -> None:
        await self._docker("exec", name, "sh", "-c", f"echo {text} > /proc/1/fd/1")
        async with asyncio.timeout(40):
            while text not in (await self._docker("logs", name)).split():  # noqa: ASYNC110 - it takes its way to the daemon
                await asyncio.sleep(0.02)


@pytest.fixture(params=["fake", "real"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    one: World = Fake() if request.param == "fake" else Real(request.getfixturevalue("docker"))
    await one.engine.connect()
    yield one
    await one.engine.close()


class Heard:
    """What the stream of events tells, read in the background."""

    def __init__(self, engine: Engine, since: int | None = None) -> None:
        self._engine, self._since = engine, since
        self.events: list[ContainerEvent] = []
        self._came = asyncio.Condition()

    async def __aenter__(self) -> Self:
        stream = await self._engine.events(self._since)
        self._task = asyncio.create_task(self._read(stream))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self, stream) -> None:  # type: ignore[no-untyped-def]
        async with aclosing(stream):
            async for event in stream:
                async with self._came:
                    self.events.append(event)
                    self._came.notify_all()

    async def until(self, *kinds: str) -> list[ContainerEvent]:
        """Wait until these have come in this order, others between them."""
        async with asyncio.timeout(40), self._came:
            await self._came.wait_for(lambda: _holds([one.kind for one in self.events], kinds))
        return self.events


def _holds(found: Sequence[str], wanted: Sequence[str]) -> bool:
    rest = iter(found)
    return all(kind in rest for kind in wanted)


async def test_a_running_container_is_listed_with_its_labels(world: World) -> None:
    await world.run("one", who="me")
    (found,) = await world.engine.containers()
    assert (found.name, found.state, found.labels["who"], found.exit_code) == ("one", "running", "me", None)
    assert found.started_at is not None
    assert await world.engine.inspect(found.id) == await world.engine.inspect("one")


async def test_a_crash_is_told_with_its_code(world: World) -> None:
    await world.run("one")
    async with Heard(world.engine) as heard:
        await world.crash("one")
        died = (await heard.until("die"))[-1]
    assert (died.kind, died.name, died.exit_code) == ("die", "one", 7)
    found = await world.engine.inspect("one")
    assert (found.state, found.exit_code, found.id) == ("exited", 7, died.container_id)
    assert found.finished_at is not None


async def test_a_restart_tells_kill_die_stop_start_and_restart_in_this_order(world: World) -> None:
    await world.run("one")
    before = await world.engine.inspect("one")
    async with Heard(world.engine) as heard:
        await world.engine.restart("one")
        events = await heard.until("kill", "die", "stop", "start", "restart")
    kills = [event.signal for event in events if event.kind == "kill"]
    assert kills[0] == 15
    after = await world.engine.inspect("one")
    assert after.is_running
    assert (before.started_at or 0) < (after.started_at or 0)  # type: ignore[operator]


async def test_stop_and_start_do_nothing_twice(world: World) -> None:
    await world.run("one")
    await world.engine.stop("one")
    assert (await world.engine.inspect("one")).exit_code == 143
    async with Heard(world.engine) as heard:
        await world.engine.stop("one")
        await world.engine.start("one")
        await heard.until("start")
        await world.engine.start("one")
        await world.kill("one")
        kinds = [event.kind for event in await heard.until("die")]
    assert kinds == ["start", "kill", "die"]


async def test_what_was_missed_is_told_from_a_moment_on(world: World) -> None:
    await world.run("one")
    async with Heard(world.engine) as heard:
        await world.kill("one")
        last = (await heard.until("die"))[-1]
    await world.engine.start("one")
    await world.remove("one")
    async with Heard(world.engine, last.nano + 1) as heard:
        kinds = [event.kind for event in await heard.until("start", "destroy")]
    assert kinds[0] == "start"
    assert "die" in kinds


async def test_what_does_not_exist_is_gone_and_what_cannot_be_a_name_is_refused(world: World) -> None:
    for call in (world.engine.inspect, world.engine.restart, world.engine.stop, world.engine.start):
        with pytest.raises(NotFoundError):
            await call("nothing")
        for name in ("../info", "a/json?x=", "", "a b", "-x"):
            with pytest.raises(DockerError, match="is not the name of a container"):
                await call(name)
    with pytest.raises(NotFoundError):
        await world.engine.logs("nothing", LogQuery())


async def test_logs_give_the_last_lines_and_what_comes(world: World) -> None:
    await world.run("one")
    for text in ("first", "second", "third"):
        await world.write("one", text)
    async with aclosing(await world.engine.logs("one", LogQuery(tail=2))) as lines:
        assert [line.text async for line in lines] == ["second", "third"]
    async with aclosing(await world.engine.logs("one", LogQuery(tail=1, is_following=True))) as lines:
        assert (await anext(lines)).text == "third"
        await world.write("one", "fourth")
        line = await anext(lines)
    assert (line.text, line.stream) == ("fourth", "stdout")


async def test_logs_are_bounded_by_time(world: World) -> None:
    await world.run("one")
    await world.write("one", "text")
    async with aclosing(await world.engine.logs("one", LogQuery())) as lines:
        at = datetime.fromisoformat((await anext(lines)).timestamp[:26].rstrip("Z")).replace(tzinfo=UTC).timestamp()
    for query, found in (
        (LogQuery(since=at - 5, until=at + 5), ["text"]),
        (LogQuery(since=at + 5), []),
        (LogQuery(until=at - 5), []),
    ):
        async with aclosing(await world.engine.logs("one", query)) as lines:
            assert [line.text async for line in lines] == found


async def test_logs_that_are_followed_end_with_the_container(world: World) -> None:
    await world.run("one")
    await world.write("one", "last")
    async with asyncio.timeout(40), aclosing(await world.engine.logs("one", LogQuery(is_following=True))) as lines:
        assert (await anext(lines)).text == "last"
        await world.kill("one")
        assert [line async for line in lines] == []


async def test_what_a_container_uses_is_measured(world: World) -> None:
    await world.run("one")
    usage = await world.engine.usage("one")
    assert usage.memory_bytes is not None
    await world.engine.stop("one")
    assert (await world.engine.usage("one")).cpu_percent in {None, 0.0}


async def test_without_a_daemon_there_is_no_docker(tmp_path: object) -> None:
    fake = FakeEngine()
    fake.is_absent = True
    for engine in (fake, DockerEngine(f"unix://{tmp_path}/none.sock")):
        with pytest.raises(NoDockerError):
            await engine.connect()
        with pytest.raises(NoDockerError):
            await engine.inspect("one")
