"""What is known of containers at this moment, and what has just happened to them.

The event stream is followed without end. After each connection everything is listed once: events are lost while nobody
listens. When Docker is gone, facts are unknown, never bad.
"""

from typing import Protocol

import structlog

from fks_master.clock import Clock
from fks_master.docker.engine import Container, ContainerEvent, Engine
from fks_master.errors import DockerError

log = structlog.get_logger(__name__)

RETRY_SECONDS = 2.0


class Listener(Protocol):
    """Hears of a container that ended (`was_stopped`: somebody asked for it), and of every other change."""

    def died(self, container: Container, *, was_stopped: bool) -> None: ...

    def changed(self, container: Container) -> None: ...


class Facts:
    """The containers by name; `run` keeps them true."""

    def __init__(self, engine: Engine, clock: Clock, listener: Listener) -> None:
        self._engine = engine
        self._clock = clock
        self._listener = listener
        self._by_name: dict[str, Container] = {}
        self._stopping: set[str] = set()
        self.version: str | None = None

    @property
    def is_connected(self) -> bool:
        return self.version is not None

    def of(self, name: str | None) -> Container | None:
        return self._by_name.get(name) if name else None

    async def run(self) -> None:
        is_said = False
        while True:
            try:
                self.version = await self._engine.connect()
                log.info("docker_connected", version=self.version)
                is_said = False
                await self._follow()
            except DockerError as error:
                if not is_said:
                    log.warning("docker_absent", reason=str(error), effect="no container facts, no control")
                is_said = True
            finally:
                self.version = None
                self._by_name.clear()
            await self._engine.close()
            await self._clock.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        events = self._engine.events()
        self._by_name = {one.name: one for one in await self._engine.containers()}
        async for event in events:
            await self._take(event)

    async def _take(self, event: ContainerEvent) -> None:
        if event.kind in {"kill", "stop"}:
            self._stopping.add(event.container_id)
        elif event.kind == "start":
            self._stopping.discard(event.container_id)
        if event.kind == "destroy":
            self._by_name.pop(event.name, None)
            self._stopping.discard(event.container_id)
            return
        container = await self._look(event)
        if container is None:
            return
        self._by_name[container.name] = container
        if event.kind == "die":
            self._listener.died(container, was_stopped=event.container_id in self._stopping)
        else:
            self._listener.changed(container)

    async def _look(self, event: ContainerEvent) -> Container | None:
        try:
            return await self._engine.inspect(event.container_id)
        except DockerError:
            return None  # gone again: `docker run --rm` removes faster than we look
