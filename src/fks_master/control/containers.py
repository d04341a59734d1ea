"""From what happens to a container to what is known of its service."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from fks_master.clock import Clock
from fks_master.control.controller import Controller, World
from fks_master.docker.container import Container
from fks_master.docker.crashes import WINDOW_SECONDS, Crashes
from fks_master.model import Event, EventType, Outcome, Reason, Result, Service

# What else is told: the kind of event, and a sentence.
TOLD = {
    "start": (EventType.CONTAINER_STARTED, "the container started"),
    "stop": (EventType.CONTAINER_STOPPED, "the container was stopped"),
    "oom": (EventType.CONTAINER_OUT_OF_MEMORY, "the container ran out of memory"),
    "health_status": (EventType.CONTAINER_HEALTH_CHANGED, "Docker calls the container {health}"),
    "pause": (EventType.CONTAINER_PAUSED, "the container was paused"),
    "unpause": (EventType.CONTAINER_RESUMED, "the container goes on after its pause"),
    "destroy": (EventType.CONTAINER_REMOVED, "the container was removed"),
}
ROSTER_KINDS = {"create", "start", "rename", "destroy", "listed"}


class Lately(msgspec.Struct, frozen=True):
    """What was counted of a container: crashes within ten minutes, and whether its last end was asked for."""

    crashes: int = 0
    is_crash_looping: bool = False
    was_stopped: bool = False


class Waist(World, Protocol):
    """The hub."""

    @property
    def ingest(self) -> Callable[[Result], None]: ...


class Containers:
    """A container that died makes its service Unhealthy at once: one failed check, not to be waited for.

    A one-shot that ended well is complete, not down; and what we do to a service ourselves is no fault of it.
    `on_change` is called when containers come, go, or may be found elsewhere.
    """

    def __init__(self, hub: Waist, controller: Controller, clock: Clock) -> None:
        self._hub = hub
        self._controller = controller
        self._clock = clock
        self._crashes = Crashes()
        self._stopped: set[str] = set()
        self.on_change: Callable[[], None] = lambda: None

    def lately(self, name: str) -> Lately:
        count = self._crashes.recent(name, self._clock.monotonic())
        return Lately(count, self._crashes.is_looping(name), name in self._stopped)

    def died(self, container: Container, *, was_stopped: bool) -> None:
        service = self._service_of(container.name)
        if was_stopped:
            self._stopped.add(container.name)
        if service is None or self._controller.is_doing(service.id, was_stopped=was_stopped):
            return
        if container.exit_code == 0 and not was_stopped and not container.comes_back:
            return
        at = self._clock.now()
        message = _words(container, was_stopped=was_stopped)
        data = {**_data(container), "was_stopped": was_stopped}
        self._hub.announce(Event(EventType.CONTAINER_DIED, f"{service.name}: {message}", at, service.id, data))
        self._hub.ingest(Result(service.id, Outcome.FAILURE, at, reason=Reason.CONTAINER, message=message))
        if not was_stopped and self._crashes.note(container.name, self._clock.monotonic()):
            self._tell_loop(service, container)

    def changed(self, container: Container, kind: str) -> None:
        """Tell it, and look again at once when a container begins or changes its own health."""
        if kind == "start":
            self._stopped.discard(container.name)
        elif kind == "stop" and not container.is_running:
            self._stopped.add(container.name)
        service = self._service_of(container.name)
        if service is not None and kind in TOLD and not self._controller.is_busy(service.id):
            event_type, words = TOLD[kind]
            message = f"{service.name}: {words.format(health=container.health or 'of unknown health')}"
            self._hub.announce(Event(event_type, message, self._clock.now(), service.id, _data(container)))
        if kind == "destroy":
            self._crashes.forget(container.name)
            self._stopped.discard(container.name)
        if kind in ROSTER_KINDS:
            self.on_change()
        if service is not None and container.is_running:
            self._controller.look_now([service.id])

    def listed(self) -> None:
        for name in self._crashes.take_calm(self._clock.monotonic()):
            if (service := self._service_of(name)) is not None:
                message = f"{service.name}: the container has not crashed for {WINDOW_SECONDS / 60:g} minutes"
                data: dict[str, object] = {"container": name, "is_crash_looping": False}
                kind = EventType.CONTAINER_CRASH_LOOPING
                self._hub.announce(Event(kind, message, self._clock.now(), service.id, data))
        self.on_change()

    def _tell_loop(self, service: Service, container: Container) -> None:
        count = self._crashes.recent(container.name, self._clock.monotonic())
        often = f"{count} times in {WINDOW_SECONDS / 60:g} minutes"
        message = f"{service.name}: the container crashes again and again, {often}"
        data = {**_data(container), "is_crash_looping": True, "crashes": count}
        kind = EventType.CONTAINER_CRASH_LOOPING
        self._hub.announce(Event(kind, message, self._clock.now(), service.id, data))

    def _service_of(self, name: str) -> Service | None:
        found = (one for one in self._hub.services.values() if one.docker_container == name)
        return next(found, None)


def _data(container: Container) -> dict[str, object]:
    return {
        "container": container.name,
        "container_id": container.id[:12],
        "image": container.image,
        "exit_code": container.exit_code,
        "oom_killed": container.oom_killed,
        "restart_count": container.restart_count,
        "started_at": container.started_at,
        "health": container.health,
    }


def _words(container: Container, *, was_stopped: bool) -> str:
    if container.oom_killed:
        return f"The container was killed for want of memory (exit code {container.exit_code})"
    if was_stopped:
        return f"The container was stopped (exit code {container.exit_code})"
    return f"The container died with exit code {container.exit_code}"
