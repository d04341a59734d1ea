"""Restart, start and stop of services: one action at a time each, never ourselves, verified by the next check."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import msgspec
import structlog

from fks_master.clock import Clock
from fks_master.docker.engine import Engine
from fks_master.docker.ourselves import Ourselves
from fks_master.errors import DockerError, NoDockerError
from fks_master.model import Event, EventType, Service, State, Status
from fks_master.tracing import NoTracer, Tracer

T = TypeVar("T")

log = structlog.get_logger(__name__)

HEALTHY_SECONDS = 60.0
LOOK_SECONDS = 0.5
REMEMBERED_KEYS = 1000
ECHO_SECONDS = 2.0  # within which what Docker tells of a stop is still about ours
FINAL = {200, 502}  # answers of an action that was begun; all others may be asked again


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


class Origin(msgspec.Struct, frozen=True):
    """Who asked, and what ties the action to the request. With the same `key` a thing is done once."""

    requested_by: str = "anonymous"
    request_id: str | None = None
    key: str | None = None
    traceparent: str | None = None


class Backing(msgspec.Struct, frozen=True):
    """What the controller acts through, and what it tells of each restart."""

    engine: Engine
    look_now: Callable[[Iterable[str]], None]
    record: Record
    ourselves: Ourselves = Ourselves()
    tracer: Tracer = NoTracer()


class Controller:
    """Acts through Docker, and says what it did; it never writes state."""

    def __init__(self, world: World, clock: Clock, backing: Backing) -> None:
        self._world = world
        self._clock = clock
        self._backing = backing
        self._engine = backing.engine
        self.look_now = backing.look_now
        self._busy: set[str] = set()
        self._ended: dict[str, float] = {}
        self._answers: dict[tuple[str, str, Action, str], asyncio.Task[Done]] = {}
        self._tasks: set[asyncio.Task[object]] = set()

    def is_busy(self, service_id: str) -> bool:
        return service_id in self._busy

    def is_doing(self, service_id: str, *, was_stopped: bool) -> bool:
        """Whether the end of a service's container is our own doing: word of it may come late."""
        ended = self._ended.get(service_id)
        is_echo = was_stopped and ended is not None and self._clock.monotonic() - ended < ECHO_SECONDS
        return is_echo or self.is_busy(service_id)

    async def act(self, service_id: str, action: Action, origin: Origin) -> Done:
        """Do it, or say why not. The same key again gets the first answer, and nothing is done twice.

        What has begun goes on to its end, even if whoever asked goes away.
        """
        if origin.key is None:
            return await asyncio.shield(self._begin(self._act(service_id, action, origin)))
        key = (origin.requested_by, service_id, action, origin.key)
        if key not in self._answers:
            if len(self._answers) >= REMEMBERED_KEYS:
                self._answers.pop(next(iter(self._answers)))
            self._answers[key] = self._begin(self._act(service_id, action, origin))
        done = await asyncio.shield(self._answers[key])
        if done.status not in FINAL:
            self._answers.pop(key, None)
        return done

    def _begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _act(self, service_id: str, action: Action, origin: Origin) -> Done:
        service = self._world.services.get(service_id)
        if service is None:
            return self._done(service_id, 404, f"no service {service_id[:100]!r} is watched")
        if service.docker_container is None:
            return self._done(service_id, 409, f"{service.name} has no docker_container, so nothing can be done to it")
        if service_id in self._busy:
            return self._done(service_id, 409, f"{service.name} is being worked on; try again when that has ended")
        with self._at_work(service_id):
            return await self._traced(service, service.docker_container, action, origin)

    @contextmanager
    def _at_work(self, service_id: str) -> Iterator[None]:
        self._busy.add(service_id)
        try:
            yield
        finally:
            self._busy.discard(service_id)
            self._ended[service_id] = self._clock.monotonic()

    async def _traced(self, service: Service, container: str, action: Action, origin: Origin) -> Done:
        notes = {"fks.service_id": service.id, "fks.container": container, "fks.requested_by": origin.requested_by}
        with self._backing.tracer.span(f"service {action}", notes, origin.traceparent) as span:
            done = await self._do(service, container, action, origin)
            span.note("fks.success", done.success)
            if not done.success:
                span.fail(done.message)
        return done

    async def _do(self, service: Service, container: str, action: Action, origin: Origin) -> Done:
        started = self._clock.monotonic()
        said: dict[str, object] = {"action": action, "by": origin.requested_by, "request_id": origin.request_id}
        try:
            if (reason := self._backing.ourselves.why_not(await self._engine.inspect(container))) is not None:
                return self._done(service.id, 409, f"{service.name}: {reason}")
            self._say(EventType.ACTION_STARTED, service, f"{service.name}: {action} begins", said)
            await getattr(self._engine, action.value)(container)
        except DockerError as error:
            done = self._done(service.id, 503 if isinstance(error, NoDockerError) else 502, f"Docker: {error}")
        else:
            done = self._done(service.id, 200, f"{service.name}: {action} done")
        seconds = self._clock.monotonic() - started
        if action is Action.RESTART:
            self._backing.record(service, done.success, seconds)
        data = {**said, "success": done.success, "seconds": round(seconds, 3)}
        self._say(EventType.ACTION_FINISHED, service, done.message, data)
        if done.success and action is not Action.STOP:
            self._verify(service, action, started)
        return done

    def _verify(self, service: Service, action: Action, started: float) -> None:
        self._begin(self._until_healthy(service, action, started, self._clock.now()))

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
