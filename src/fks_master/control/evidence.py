"""What is kept of a container at the moment its service is said to be down, and outlives it."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Protocol

import msgspec

from fks_master.docker.container import Container
from fks_master.docker.engine import Engine, LogQuery
from fks_master.docker.lines import clean
from fks_master.docker.usage import Usage
from fks_master.errors import DockerError, NoDockerError
from fks_master.model import Service

LINES = 200
LONGEST = 2000
MOST_LINES = 2000
AFTER_SECONDS = 0.5

Collector = Callable[[str], Awaitable[Mapping[str, object]]]


class Fleet(Protocol):
    """The hub: what is watched."""

    @property
    def services(self) -> Mapping[str, Service]: ...


class Witness:
    """Answers per kind of evidence; nothing, where a service has no container.

    Raises NoDockerError while there is no Docker to ask: it may be asked again.
    """

    def __init__(self, hub: Fleet, engine: Engine, last_usage: Callable[[str], Usage | None]) -> None:
        self._hub = hub
        self._engine = engine
        self._last_usage = last_usage

    def collectors(self) -> dict[str, Collector]:
        return {"container": self.container, "logs": self.logs}

    async def container(self, service_id: str) -> Mapping[str, object]:
        """Give state, exit code, limits and image, and what was used when it was last measured."""
        found = await self._look(service_id)
        if found is None:
            return {}
        facts: dict[str, object] = msgspec.to_builtins(_without_labels(found))
        usage = self._last_usage(service_id)
        return {**facts, "last_usage": msgspec.to_builtins(usage)} if usage else facts

    async def logs(self, service_id: str) -> Mapping[str, object]:
        """Give the last lines, each with its time; of a container that runs again, those from before it died."""
        found = await self._look(service_id)
        if found is None:
            return {}
        has_died = found.is_running and found.finished_at is not None
        until = found.finished_at.timestamp() + AFTER_SECONDS if has_died and found.finished_at else None
        query = LogQuery(tail=LINES if until is None else MOST_LINES, until=until)
        try:
            async with aclosing(await self._engine.logs(found.id, query)) as lines:
                read = [f"{one.timestamp} {clean(one.text, has_colours=False)}"[:LONGEST] async for one in lines]
        except NoDockerError:
            raise
        except DockerError:
            return {}
        return {"lines": read[-LINES:]}

    async def _look(self, service_id: str) -> Container | None:
        service = self._hub.services.get(service_id)
        if service is None or service.docker_container is None:
            return None
        try:
            return await self._engine.inspect(service.docker_container)
        except NoDockerError:
            raise
        except DockerError:
            return None


def _without_labels(container: Container) -> Container:
    """Leave out what people write into labels, secrets included, and where it was in its networks."""
    return msgspec.structs.replace(container, labels={}, networks={}, ports={})
