"""What is kept of a container at the moment its service is said to be down, and outlives it."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Protocol

import msgspec

from fks_master.docker.container import Container
from fks_master.docker.engine import Engine, LogQuery
from fks_master.docker.lines import clean
from fks_master.docker.usage import Usage
from fks_master.errors import DockerError
from fks_master.model import Service

LINES = 200
LONGEST = 2000

Collector = Callable[[str], Awaitable[Mapping[str, object]]]


class Fleet(Protocol):
    """The hub: what is watched."""

    @property
    def services(self) -> Mapping[str, Service]: ...


class Witness:
    """Answers per kind of evidence; nothing, where a service has no container or Docker does not answer."""

    def __init__(self, hub: Fleet, engine: Engine, last_usage: Callable[[str], Usage | None]) -> None:
        self._hub = hub
        self._engine = engine
        self._last_usage = last_usage

    def collectors(self) -> dict[str, Collector]:
        return {"container": self.container, "logs": self.logs}

    async def container(self, service_id: str) -> Mapping[str, object]:
        """Give the state, exit code and image, and what was used when it was last measured."""
        name = self._name_of(service_id)
        if name is None:
            return {}
        try:
            found = await self._engine.inspect(name)
        except DockerError:
            return {}
        facts: dict[str, object] = msgspec.to_builtins(_without_labels(found))
        usage = self._last_usage(service_id)
        return {**facts, "last_usage": msgspec.to_builtins(usage)} if usage else facts

    async def logs(self, service_id: str) -> Mapping[str, object]:
        """Give the last lines, each with its time."""
        name = self._name_of(service_id)
        if name is None:
            return {}
        try:
            async with aclosing(await self._engine.logs(name, LogQuery(tail=LINES))) as lines:
                return {
                    "lines": [f"{one.timestamp} {clean(one.text, has_colours=False)}"[:LONGEST] async for one in lines]
                }
        except DockerError:
            return {}

    def _name_of(self, service_id: str) -> str | None:
        service = self._hub.services.get(service_id)
        return service.docker_container if service else None


def _without_labels(container: Container) -> Container:
    """Leave out what people write into labels, secrets included, and where it was in its networks."""
    return msgspec.structs.replace(container, labels={}, networks={}, ports={})
