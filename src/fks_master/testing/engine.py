"""A Docker engine in memory. It keeps what the contract suite asks of the real one: the order of events and all."""

import asyncio
import hashlib
import itertools
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import datetime

import msgspec

from fks_master.clock import Clock, SystemClock
from fks_master.docker.container import Container, ContainerEvent, checked_name
from fks_master.docker.engine import LogQuery
from fks_master.docker.lines import LogLine
from fks_master.docker.usage import Usage
from fks_master.errors import DockerTimeoutError, NoDockerError, NotFoundError

KEPT_EVENTS = 256
TERM, KILL = 15, 9

replace = msgspec.structs.replace


class FakeEngine:
    """Use it where an Engine is wanted. `run`, `crash` and `remove` are what others do to containers.

    `is_absent` makes every call fail at once, `is_hanging` in the deadline that the real one would need.
    """

    version = "20.10.24"

    def __init__(self, clock: Clock | None = None) -> None:
        self.is_absent = False
        self.is_hanging = False
        self.calls: list[tuple[str, str]] = []
        self.used = Usage(1.0, 1 << 20, 1 << 30, 0, 0, 0, 0)
        self._clock = clock or SystemClock()
        self._containers: dict[str, Container] = {}
        self._lines: dict[str, list[LogLine]] = {}
        self._more = asyncio.Event()
        self._events: deque[ContainerEvent] = deque(maxlen=KEPT_EVENTS)
        self._streams: set[asyncio.Queue[ContainerEvent | None]] = set()
        self._nano = itertools.count()

    # What the daemon answers.

    async def connect(self) -> str:
        if self.is_absent or self.is_hanging:
            raise NoDockerError("Docker does not answer")
        return self.version

    async def ping(self) -> None:
        self._answer("ping")

    async def containers(self) -> list[Container]:
        self._answer("containers")
        return list(self._containers.values())

    async def inspect(self, name: str) -> Container:
        self._answer("inspect", name)
        return self._find(name)

    async def restart(self, name: str) -> None:
        self._answer("restart", name)
        container = self._find(name)
        if container.is_running:
            self._end(container, TERM)
        self._begin(container.id)
        self._say("restart", container)

    async def start(self, name: str) -> None:
        self._answer("start", name)
        container = self._find(name)
        if not container.is_running:
            self._begin(container.id)

    async def stop(self, name: str) -> None:
        self._answer("stop", name)
        container = self._find(name)
        if container.is_running:
            self._end(container, TERM)

    async def usage(self, name: str) -> Usage:
        self._answer("usage", name)
        return self.used if self._find(name).is_running else Usage()

    async def logs(self, name: str, query: LogQuery) -> AsyncGenerator[LogLine]:
        self._answer("logs", name)
        return self._read(self._find(name).id, query)

    async def events(self, since: int | None = None) -> AsyncGenerator[ContainerEvent]:
        self._answer("events")
        queue: asyncio.Queue[ContainerEvent | None] = asyncio.Queue()
        for event in self._events if since is not None else ():
            if event.nano >= (since or 0):
                queue.put_nowait(event)
        self._streams.add(queue)
        return self._stream(queue)

    async def close(self) -> None:
        """Nothing is held open."""

    # What happens to containers without us.

    def run(self, name: str, labels: Mapping[str, str] | None = None, **said: object) -> Container:
        """Create a container and start it."""
        id_ = hashlib.sha256(f"{name} {next(self._nano)}".encode()).hexdigest()
        given = {"id": id_, "name": name, "image": "fks/box", "state": "created", "labels": labels or {}, **said}
        self._containers[id_] = msgspec.convert(given, Container)
        self._say("create", self._containers[id_])
        return self._begin(id_)

    def crash(self, name: str, code: int = 1, *, is_oom: bool = False) -> None:
        """End a container by itself; one that comes back is started again."""
        container = self._find(name)
        if is_oom:
            self._say("oom", container)
        self._die(container, code, is_oom=is_oom)
        if container.comes_back:
            again = replace(self._containers[container.id], restart_count=container.restart_count + 1)
            self._containers[container.id] = again
            self._begin(container.id)

    def kill(self, name: str, signal: int = KILL) -> None:
        """Do as `docker kill` does."""
        container = self._find(name)
        self._say("kill", container, signal=signal)
        if signal in {KILL, TERM}:
            self._die(container, 128 + signal)

    def remove(self, name: str) -> None:
        """Do as `docker rm --force` does."""
        container = self._find(name)
        if container.is_running:
            self.kill(name)
        del self._containers[container.id]
        self._say("destroy", container)

    def rename(self, name: str, fresh: str) -> None:
        container = replace(self._find(name), name=fresh)
        self._containers[container.id] = container
        self._say("rename", container)

    def set_health(self, name: str, health: str) -> None:
        container = replace(self._find(name), health=health)
        self._containers[container.id] = container
        self._say("health_status", container)

    def write(self, name: str, text: str, stream: str = "stdout") -> None:
        """Add a line to what a container has written."""
        at = self._clock.now().isoformat(timespec="microseconds").replace("+00:00", "Z")
        self._lines.setdefault(self._find(name).id, []).append(LogLine(at, stream, text))
        self._wake()

    def vanish(self) -> None:
        """End as a daemon that is stopped: its streams break, its memory of events is lost."""
        self.is_absent = True
        self._events.clear()
        for queue in self._streams:
            queue.put_nowait(None)

    def _answer(self, call: str, name: str = "") -> None:
        self.calls.append((call, name))
        if self.is_absent:
            raise NoDockerError("Docker does not answer")
        if self.is_hanging:
            raise DockerTimeoutError("Docker did not answer within 5 s")

    def _find(self, name: str) -> Container:
        checked_name(name)
        found = self._containers.get(name) or self._first(lambda one: one.name == name or one.id.startswith(name))
        if found is None:
            raise NotFoundError(f"No such container: {name}")
        return found

    def _first(self, fits: Callable[[Container], bool]) -> Container | None:
        return next((one for one in self._containers.values() if fits(one)), None)

    def _begin(self, id_: str) -> Container:
        fresh = {"state": "running", "exit_code": None, "oom_killed": False, "started_at": self._now()}
        self._containers[id_] = container = replace(self._containers[id_], **fresh)
        self._say("start", container)
        return container

    def _end(self, container: Container, signal: int) -> None:
        self._say("kill", container, signal=signal)
        self._die(container, 128 + signal)
        self._say("stop", self._containers[container.id])

    def _die(self, container: Container, code: int, *, is_oom: bool = False) -> None:
        ended = {"state": "exited", "exit_code": code, "oom_killed": is_oom, "finished_at": self._now()}
        self._containers[container.id] = replace(container, **ended)
        self._say("die", container, exit_code=code)
        self._wake()

    def _now(self) -> datetime:
        return self._clock.now()

    def _say(self, kind: str, container: Container, exit_code: int | None = None, signal: int | None = None) -> None:
        nano = int(self._now().timestamp() * 1e6) * 1000 + next(self._nano) % 1000
        event = ContainerEvent(
            kind=kind, container_id=container.id, name=container.name, nano=nano, exit_code=exit_code, signal=signal
        )
        self._events.append(event)
        for queue in self._streams:
            queue.put_nowait(event)

    async def _stream(self, queue: "asyncio.Queue[ContainerEvent | None]") -> AsyncGenerator[ContainerEvent]:
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._streams.discard(queue)

    async def _read(self, id_: str, query: LogQuery) -> AsyncGenerator[LogLine]:
        written = self._lines.setdefault(id_, [])
        seen = len(written)
        since = -1.0 if query.since is None else query.since
        until = float("inf") if query.until is None else query.until
        for line in written[max(0, len(written) - query.tail) :]:
            if not since <= datetime.fromisoformat(line.timestamp).timestamp() <= until:
                continue
            yield line
        while query.is_following:
            more = self._more
            for line in written[seen:]:
                seen += 1
                yield line
            if id_ not in self._containers or not self._containers[id_].is_running:
                return
            await more.wait()

    def _wake(self) -> None:
        waiting, self._more = self._more, asyncio.Event()
        waiting.set()
