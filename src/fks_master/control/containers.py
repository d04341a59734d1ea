"""From what happens to a container to what is known of its service."""

from collections.abc import Callable
from typing import Protocol

from fks_master.clock import Clock
from fks_master.control.controller import Controller, World
from fks_master.docker.engine import Container
from fks_master.model import Event, EventType, Outcome, Reason, Result, Service


class Waist(World, Protocol):
    """The hub."""

    @property
    def ingest(self) -> Callable[[Result], None]: ...


class Containers:
    """A container that died makes its service Unhealthy at once: one failed check, not to be waited for.

    A one-shot that ended well is complete, not down; and what we do to a service ourselves is no fault of it.
    """

    def __init__(self, hub: Waist, controller: Controller, clock: Clock) -> None:
        self._hub = hub
        self._controller = controller
        self._clock = clock

    def died(self, container: Container, *, was_stopped: bool) -> None:
        service = self._service_of(container)
        if service is None or self._controller.is_busy(service.id):
            return
        if container.exit_code == 0 and not was_stopped:
            return
        at = self._clock.now()
        message = _words(container, was_stopped=was_stopped)
        data: dict[str, object] = {
            "container": container.name,
            "exit_code": container.exit_code,
            "oom_killed": container.oom_killed,
            "was_stopped": was_stopped,
            "image": container.image,
        }
        self._hub.announce(Event(EventType.CONTAINER_DIED, f"{service.name}: {message}", at, service.id, data))
        self._hub.ingest(Result(service.id, Outcome.FAILURE, at, reason=Reason.CONTAINER, message=message))

    def changed(self, container: Container) -> None:
        """Look again at once when a container begins or changes its own health."""
        service = self._service_of(container)
        if service is not None and container.state == "running":
            self._controller.look_now([service.id])

    def _service_of(self, container: Container) -> Service | None:
        found = (one for one in self._hub.services.values() if one.docker_container == container.name)
        return next(found, None)


def _words(container: Container, *, was_stopped: bool) -> str:
    if was_stopped:
        return f"The container was stopped (exit code {container.exit_code})"
    if container.oom_killed:
        return f"The container was killed for want of memory (exit code {container.exit_code})"
    return f"The container died with exit code {container.exit_code}"
