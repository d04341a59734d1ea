"""What is known of containers at this moment, and what has just happened to them.

1. The event stream is followed without end. It is opened before everything is listed, so that nothing falls between,
   and after a break from the moment of the last event on: the daemon keeps the latest 256.
2. Events are lost all the same, by a daemon that restarts or a reader that is too slow. So everything is listed anew
   once a minute, and a death that only the list shows is told like any other.
3. The daemon is asked for a sign of life every few seconds. While it gives none, facts are unknown, never bad.
4. A death is told from the event alone: nothing is asked of the daemon before.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Protocol

import msgspec
import structlog

from fks_master.clock import Clock
from fks_master.docker.container import Container, ContainerEvent
from fks_master.docker.engine import Engine
from fks_master.errors import DockerError

log = structlog.get_logger(__name__)

RETRY_SECONDS = 2.0
PING_SECONDS = 3.0
LIST_SECONDS = 60.0
STOPPING_SECONDS = 600.0
SAME_DEATH_SECONDS = 2.0
ENDING_SIGNALS = {None, 1, 2, 3, 9, 15}

replace = msgspec.structs.replace


class Listener(Protocol):
    """Hears of a container that ended (`was_stopped`: somebody asked for it), and of every other change.

    `kind` is the event's, or "listed" where only a list showed it; `listed` follows each listing.
    """

    def died(self, container: Container, *, was_stopped: bool) -> None: ...

    def changed(self, container: Container, kind: str) -> None: ...

    def listed(self) -> None: ...


class Facts:
    """The containers by id and by name; `run` keeps them true."""

    def __init__(self, engine: Engine, clock: Clock, listener: Listener) -> None:
        self._engine = engine
        self._clock = clock
        self._listener = listener
        self._known: dict[str, Container] = {}
        self._ids: dict[str, str] = {}
        self._stopping: dict[str, float] = {}
        self._out_of_memory: set[str] = set()
        self._listed_deaths: dict[str, float] = {}
        self._last_event: int | None = None
        self.version: str | None = None

    @property
    def is_connected(self) -> bool:
        return self.version is not None

    def of(self, name: str | None) -> Container | None:
        if name is None or not self.is_connected:
            return None
        return self._known.get(self._ids.get(name, name))

    def all(self) -> list[Container]:
        """Return every container; nothing while the daemon does not answer."""
        return list(self._known.values()) if self.is_connected else []

    async def run(self) -> None:
        is_said = False
        while True:
            try:
                version = await self._engine.connect()
                log.info("docker_connected", version=version)
                is_said = False
                await self._follow(version)
            except DockerError as error:
                if not is_said:
                    log.warning("docker_absent", reason=str(error), effect="no container facts, no control")
                is_said = True
            finally:
                self.version = None
            await self._engine.close()
            await self._clock.sleep(RETRY_SECONDS)

    async def _follow(self, version: str) -> None:
        """Follow the stream until it ends or the daemon gives no sign of life."""
        stream = await self._engine.events(None if self._last_event is None else self._last_event + 1)
        async with aclosing(stream):
            await self._list(version)
            tasks = [asyncio.create_task(one) for one in (self._take_all(stream), self._keep_asking(), self._relist())]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                done = await asyncio.gather(*tasks, return_exceptions=True)
        for error in done:
            if isinstance(error, Exception):
                raise error

    async def _take_all(self, stream: AsyncGenerator[ContainerEvent]) -> None:
        async for event in stream:
            await self._take(event)

    async def _keep_asking(self) -> None:
        while True:
            await self._clock.sleep(PING_SECONDS)
            await self._engine.ping()

    async def _relist(self) -> None:
        while True:
            await self._clock.sleep(LIST_SECONDS)
            await self._list(self.version)

    async def _list(self, version: str | None) -> None:
        before = dict(self._known)
        found = {one.id: one for one in await self._engine.containers()}
        fresh = [one for one in found.values() if self._known.get(one.id) is before.get(one.id)]
        for container in fresh:  # what an event has told meanwhile is newer
            self._put(container)
        self.version = version
        for container in fresh:
            self._compare(before.get(container.id), container)
        for gone in before.keys() - found.keys():
            self._remove(gone)
        self._listener.listed()

    def _compare(self, before: Container | None, now: Container) -> None:
        """Tell what the list shows and no event has told."""
        if before is None:
            return
        if before.is_running and now.exit_code is not None and now.finished_at is not None:
            self._listed_deaths[now.id] = now.finished_at.timestamp()
            self._tell_death(now, now.finished_at.timestamp())
        elif before.state != now.state or before.started_at != now.started_at:
            self._listener.changed(now, "listed")

    async def _take(self, event: ContainerEvent) -> None:
        self._last_event = max(self._last_event or 0, event.nano)
        self._note(event)
        if event.kind == "destroy":
            self._remove(event.container_id)
            return
        if event.kind == "die":
            await self._take_death(event)
            return
        await self._look(event.container_id)
        if (container := self._known.get(event.container_id)) is not None:
            self._listener.changed(container, event.kind)

    async def _take_death(self, event: ContainerEvent) -> None:
        listed = self._listed_deaths.pop(event.container_id, None)
        if listed is not None and abs(event.at - listed) < SAME_DEATH_SECONDS:
            return
        known = self._known.get(event.container_id)
        if known is None:
            await self._look(event.container_id)
            known = self._known.get(event.container_id)
        if known is None:
            return
        dead = self._dead(known, event)
        if known.started_at is None or known.started_at.timestamp() < event.at:
            self._put(dead)
        self._tell_death(dead, event.at)
        await self._look(event.container_id)

    async def _look(self, container_id: str) -> None:
        with suppress(DockerError):  # gone again: `docker run --rm` removes faster than we look
            self._put(await self._engine.inspect(container_id))

    def _note(self, event: ContainerEvent) -> None:
        """Remember what tells a stop from a crash; a signal that ends nothing is none."""
        if event.kind == "stop" or (event.kind == "kill" and event.signal in ENDING_SIGNALS):
            self._stopping[event.container_id] = event.at
        elif event.kind == "oom":
            self._out_of_memory.add(event.container_id)
        elif event.kind == "start":
            self._stopping.pop(event.container_id, None)
            self._listed_deaths.pop(event.container_id, None)
            self._out_of_memory.discard(event.container_id)

    def _dead(self, container: Container, event: ContainerEvent) -> Container:
        is_oom = container.oom_killed or container.id in self._out_of_memory
        return replace(container, state="exited", exit_code=event.exit_code, oom_killed=is_oom, health=None)

    def _tell_death(self, container: Container, at: float) -> None:
        since = self._stopping.get(container.id)
        self._listener.died(container, was_stopped=since is not None and at - since < STOPPING_SECONDS)

    def _put(self, container: Container) -> None:
        before = self._known.get(container.id)
        if before is not None and self._ids.get(before.name) == container.id:
            del self._ids[before.name]
        self._known[container.id] = container
        self._ids[container.name] = container.id

    def _remove(self, container_id: str) -> None:
        container = self._known.pop(container_id, None)
        for memory in (self._stopping, self._listed_deaths):
            memory.pop(container_id, None)
        self._out_of_memory.discard(container_id)
        if container is not None:
            if self._ids.get(container.name) == container_id:
                del self._ids[container.name]
            self._listener.changed(replace(container, state="removed"), "destroy")
