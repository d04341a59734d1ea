"""Containers that appear by themselves and leave when they are removed; kept on disk, lest a restart forget them."""

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from fks_master.clock import Clock
from fks_master.control.roster import Given, Place, Roster, roster
from fks_master.docker.container import Container
from fks_master.docker.ourselves import Ourselves
from fks_master.model import Event, EventType, Service

log = structlog.get_logger(__name__)


class Known(Protocol):
    """The containers at this moment."""

    @property
    def is_connected(self) -> bool: ...

    def all(self) -> list[Container]: ...


class Outlet(msgspec.Struct, frozen=True):
    """Where it goes: a roster that differs to `apply`, who came and left to `announce`."""

    apply: Callable[[tuple[Service, ...]], None]
    announce: Callable[[Event], None]


class Discoverer:
    """Draws up the roster anew whenever containers come and go."""

    def __init__(
        self,
        given: Given,
        ourselves: Ourselves,
        clock: Clock,
        outlet: Outlet,
        path: Path,
    ) -> None:
        self.refused: Mapping[str, str] = {}
        self._given = given
        self._is_on = True
        self._ourselves = ourselves
        self._clock = clock
        self._outlet = outlet
        self._path = path
        self._found = {one.id: one for one in remembered(path)}
        self._current: tuple[Service, ...] | None = None
        self._is_changed = asyncio.Event()

    def configure(self, given: Given, facts: Known, *, is_on: bool) -> None:
        """Take up another configuration."""
        configured = {one.id for one in given.services}
        self._given, self._is_on = given, is_on
        self._found = {id_: one for id_, one in self._found.items() if is_on and id_ not in configured}
        self._current = None
        if facts.is_connected:
            self.look(facts)
        else:
            self._outlet.apply((*given.services, *self._found.values()))

    def look(self, facts: Known) -> None:
        """Compare with the containers as they are; without Docker nothing is known, and all stays as it is."""
        if not facts.is_connected:
            return
        containers = facts.all()
        others = [one for one in containers if self._ourselves.why_not(one) is None]
        drawn = roster(self._given, others, self._place(containers), self._found, finds_others=self._is_on)
        self._say_refused(drawn)
        if drawn.services == self._current:
            return
        self._current = drawn.services
        before, self._found = self._found, {one.id: one for one in drawn.services if one.is_discovered}
        self._outlet.apply(drawn.services)
        self._tell(before)

    async def run(self) -> None:
        """Write down who was found."""
        while True:
            await self._is_changed.wait()
            self._is_changed.clear()
            await asyncio.to_thread(_write, self._path, tuple(self._found.values()))

    def _place(self, containers: list[Container]) -> Place:
        for one in containers:
            if self._ourselves.is_we(one.id):
                return Place(True, one.is_on_host_network, frozenset(one.networks))  # noqa: FBT003
        return Place()

    def _say_refused(self, drawn: Roster) -> None:
        for name in drawn.refused.keys() - self.refused.keys():
            log.warning("container_not_watched", container=name, reason=drawn.refused[name])
        self.refused = drawn.refused

    def _tell(self, before: Mapping[str, Service]) -> None:
        if self._found != before:
            self._is_changed.set()
        now = self._clock.now()
        for id_ in self._found.keys() - before.keys():
            one = self._found[id_]
            data: dict[str, object] = {"container": one.docker_container, "health_endpoint": one.health_endpoint}
            message = f"{one.name} was found: container {one.docker_container}"
            self._outlet.announce(Event(EventType.SERVICE_APPEARED, message, now, id_, data))
        for id_ in before.keys() - self._found.keys():
            message = f"{before[id_].name} has gone: its container was removed"
            self._outlet.announce(Event(EventType.SERVICE_LEFT, message, now, id_, {"removed": [id_]}))


def remembered(path: Path) -> tuple[Service, ...]:
    """Return who was found the last time; nobody where that cannot be read."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=tuple[Service, ...])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return ()
    return tuple(one for one in found if one.is_discovered)


def _write(path: Path, services: tuple[Service, ...]) -> None:
    fresh = path.with_suffix(".new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(fresh, flags, 0o600), "wb") as file:
            file.write(msgspec.json.encode(services))
        fresh.replace(path)
    except OSError as error:
        log.warning("found_services_not_kept", path=str(path), error=error.strerror)
