"""Restart, start and stop of services: one action at a time each, never ourselves, verified by the next check."""

import asyncio
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from fks_master.clock import Clock
from fks_master.docker.engine import Engine
from fks_master.errors import DockerError, NoDockerError
from fks_master.model import Event, EventType, Service, State, Status

log = structlog.get_logger(__name__)

HEALTHY_SECONDS = 60.0
LOOK_SECONDS = 0.5
REMEMBERED_KEYS = 1000
IN_CONTAINER = Path("/.dockerenv").exists()


class Action(StrEnum):
    """What can be done to a service."""

    RESTART = "restart"
    START = "start"
    STOP = "stop"


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an action; `status` is the HTTP status that says so."""

    service_id: str
    success: bool
    message: str
    timestamp: datetime
    status: int = 200


class World(Protocol):
    """What the controller sees of the rest."""

    @property
    def services(self) -> Mapping[str, Service]: ...

    @property
    def states(self) -> Mapping[str, State]: ...

    def announce(self, event: Event) -> None: ...


Record = Callable[[Service, bool, float], None]


class Controller:
    """Acts through Docker, and says what it did; it never writes state."""

    def __init__(
        self, world: World, engine: Engine, clock: Clock, look_now: Callable[[Iterable[str]], None], record: Record
    ) -> None:
        self._world = world
        self._engine = engine
        self._clock = clock
        self.look_now = look_now
        self._record = record
        self._busy: set[str] = set()
        self._answers: dict[str, asyncio.Future[Done]] = {}
        self._watching: set[asyncio.Task[None]] = set()

    def is_busy(self, service_id: str) -> bool:
        return service_id in self._busy

    async def act(self, service_id: str, action: Action, who: str, idempotency_key: str | None = None) -> Done:
        """Do it, or say why not. The same key again gets the first answer, and nothing is done twice."""
        key = f"{who} {service_id} {action} {idempotency_key}"
        if idempotency_key is None:
            return await self._act(service_id, action, who)
        if key not in self._answers:
            if len(self._answers) >= REMEMBERED_KEYS:
                self._answers.pop(next(iter(self._answers)))
            # A task of its own: it runs on if the client goes away.
            self._answers[key] = asyncio.ensure_future(self._act(service_id, action, who))
        return await asyncio.shield(self._answers[key])

    async def close(self) -> None:
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)

    async def _act(self, service_id: str, action: Action, who: str) -> Done:
        service = self._world.services.get(service_id)
        if service is None:
            return self._done(service_id, 404, f"no service {service_id[:100]!r} is watched")
        if service.docker_container is None:
            return self._done(service_id, 409, f"{service.name} has no docker_container, so nothing can be done to it")
        if service_id in self._busy:
            return self._done(service_id, 409, f"{service.name} is being worked on; try again when that has ended")
        with self._at_work(service_id):
            return await self._do(service, service.docker_container, action, who)

    @contextmanager
    def _at_work(self, service_id: str) -> Iterator[None]:
        self._busy.add(service_id)
        try:
            yield
        finally:
            self._busy.discard(service_id)

    async def _do(self, service: Service, container: str, action: Action, who: str) -> Done:
        started = self._clock.monotonic()
        self._say(EventType.ACTION_STARTED, service, f"{service.name}: {action} begins", {"action": action, "by": who})
        try:
            await self._refuse_ourselves(container)
            await getattr(self._engine, action.value)(container)
        except DockerError as error:
            done = self._done(service.id, 503 if isinstance(error, NoDockerError) else 502, f"Docker: {error}")
        else:
            done = self._done(service.id, 200, f"{service.name}: {action} done")
        seconds = self._clock.monotonic() - started
        if action is Action.RESTART:
            self._record(service, done.success, seconds)
        data: dict[str, object] = {"action": action, "by": who, "success": done.success, "seconds": round(seconds, 3)}
        self._say(EventType.ACTION_FINISHED, service, done.message, data)
        if done.success and action is not Action.STOP:
            self._verify(service, action, started)
        return done

    async def _refuse_ourselves(self, container: str) -> None:
        if not IN_CONTAINER:
            return
        found = await self._engine.inspect(container)
        if found.id.startswith(socket.gethostname()):
            raise DockerError("that is FKS Master itself, which does not act on itself")

    def _verify(self, service: Service, action: Action, started: float) -> None:
        task = asyncio.create_task(self._until_healthy(service, action, started, self._clock.now()))
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    async def _until_healthy(self, service: Service, action: Action, started: float, done_at: datetime) -> None:
        """Look again and again; say how long it took, or that it did not become well."""
        deadline = self._clock.monotonic() + HEALTHY_SECONDS
        is_healthy = False
        while not is_healthy and self._clock.monotonic() < deadline and service.id in self._world.states:
            self.look_now([service.id])
            await self._clock.sleep(LOOK_SECONDS)
            state = self._world.states.get(service.id)
            is_healthy = state is not None and _is_well_since(state, done_at)
        seconds = round(self._clock.monotonic() - started, 3)
        words = f"is well {seconds:g} s after" if is_healthy else f"is not well {seconds:g} s after"
        data: dict[str, object] = {"action": action, "success": is_healthy, "seconds_until_healthy": seconds}
        self._say(EventType.SERVICE_RESTARTED, service, f"{service.name} {words} {action}", data)

    def _say(self, kind: EventType, service: Service, message: str, data: dict[str, object]) -> None:
        self._world.announce(Event(kind, message, self._clock.now(), service.id, data))

    def _done(self, service_id: str, status: int, message: str) -> Done:
        return Done(
            service_id=service_id,
            success=status == 200,
            message=message,
            timestamp=self._clock.now(),
            status=status,
        )


def _is_well_since(state: State, moment: datetime) -> bool:
    return state.last is not None and state.last.at > moment and state.status is not Status.UNHEALTHY
