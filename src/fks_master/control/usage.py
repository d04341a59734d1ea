"""What the containers of services use, measured again and again, off the path of the checks."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec

from fks_master.clock import Clock
from fks_master.control.controller import World
from fks_master.docker.container import Container
from fks_master.docker.engine import Engine
from fks_master.docker.usage import Usage
from fks_master.errors import DockerError

SECONDS = 10.0
AT_ONCE = 50  # each waits a second or two for Docker to measure


class Known(Protocol):
    """The containers at this moment."""

    @property
    def of(self) -> Callable[[str | None], Container | None]: ...


class Meter:
    """Tells `note` of each service what its container uses, None where it does not run or Docker does not say."""

    def __init__(
        self, hub: World, engine: Engine, known: Known, clock: Clock, note: Callable[[str, Usage | None], None]
    ) -> None:
        self._hub = hub
        self._engine = engine
        self._known = known
        self._clock = clock
        self._note = note
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.is_on = True

    async def run(self) -> None:
        while True:
            await self._clock.sleep(SECONDS)
            await self.measure()

    async def measure(self) -> None:
        """Measure all of them once."""
        named = [(one.id, one.docker_container) for one in self._hub.services.values() if one.docker_container]
        await asyncio.gather(*(self._measure(service_id, name) for service_id, name in named))

    async def _measure(self, service_id: str, name: str) -> None:
        usage = await self._ask(name)
        if service_id in self._hub.services:
            self._note(service_id, usage)

    async def _ask(self, name: str) -> Usage | None:
        container = self._known.of(name)
        if not self.is_on or container is None or container.state != "running":
            return None
        async with self._slots:
            try:
                usage = await self._engine.usage(container.id)
            except DockerError:
                return None
        return msgspec.structs.replace(usage, cpu_limit=container.cpu_limit)
