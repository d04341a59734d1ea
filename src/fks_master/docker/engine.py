"""Docker's Engine API as far as we need it. Every call has a deadline, and fails with a DockerError or not at all."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import AsyncExitStack, suppress
from typing import Any, Protocol, TypeVar

import msgspec

from fks_master.docker.container import (
    KINDS,
    Container,
    ContainerEvent,
    checked_name,
    read_container,
    read_event,
    table,
    text,
    whole,
)
from fks_master.docker.lines import LogLine, framed_lines, raw_lines
from fks_master.docker.usage import Usage, usage_of, with_reading_before
from fks_master.errors import DockerError, DockerTimeoutError, NoDockerError, NotFoundError

T = TypeVar("T")

CALL_SECONDS = 5.0
STATS_SECONDS = 10.0
STOP_SECONDS = 10  # Docker's own default
LONGEST_STOP_SECONDS = 600
ACTION_SECONDS = 20.0
MOST_INSPECTIONS = 16  # at once
LONGEST_EVENT = 4 << 20
MOST_READINGS = 10_000
LONGEST_REASON = 500


class LogQuery(msgspec.Struct, frozen=True):
    """Which lines: the last `tail`, of them those after `since` and before `until` (Unix seconds); and what comes."""

    tail: int = 200
    since: float | None = None
    until: float | None = None
    is_following: bool = False


class LogStream(Protocol):
    """Lines as they come; `aclose` ends it, even before the first was taken."""

    def __aiter__(self) -> AsyncIterator[LogLine]: ...

    async def __anext__(self) -> LogLine: ...

    async def aclose(self) -> None: ...


class Engine(Protocol):
    """The daemon, real or fake."""

    async def connect(self) -> str:
        """Return the daemon's version, or raise NoDockerError."""
        ...

    async def containers(self) -> list[Container]: ...

    async def inspect(self, name: str) -> Container: ...

    async def restart(self, name: str) -> None: ...

    async def start(self, name: str) -> None: ...

    async def stop(self, name: str) -> None: ...

    async def usage(self, name: str) -> Usage:
        """Return what a running container uses; its share of the processor since it was asked the last time."""
        ...

    async def logs(self, name: str, query: LogQuery) -> LogStream:
        """Open a container's output; the lines end when the container or the query does, or when closed."""
        ...

    async def ping(self) -> None:
        """Raise DockerError unless the daemon answers."""
        ...

    async def events(self, since: int | None = None) -> AsyncGenerator[ContainerEvent]:
        """Open the stream of what happens from now on, or from `since` (nanoseconds) on.

        It ends with the connection, by a DockerError if that breaks.
        """
        ...

    async def close(self) -> None: ...


class DockerEngine:
    """The daemon behind DOCKER_HOST; aiodocker is imported once something is to be asked of it."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._docker: Any = None
        self._readings: dict[str, object] = {}

    async def connect(self) -> str:
        if self._docker is None:
            await _answers(self._host)
            self._docker = _client(self._host)
        try:
            version = await _within(CALL_SECONDS, self._docker.version())
        except DockerError as error:
            await self.close()
            raise NoDockerError(str(error)) from error
        if not (found := text(table(version).get("Version"))):
            await self.close()
            raise NoDockerError(f"what answers at {self._host} is not Docker")
        return found

    async def ping(self) -> None:
        await _within(CALL_SECONDS, self._api().version())

    async def containers(self) -> list[Container]:
        found = await _within(CALL_SECONDS, self._api()._query_json("containers/json", params={"all": 1}))  # noqa: SLF001 - its own listing fails as a whole where one entry is odd
        if not isinstance(found, list):
            raise DockerError("Docker's list of containers cannot be read")
        slots = asyncio.Semaphore(MOST_INSPECTIONS)

        async def look(id_: str) -> Container | None:
            async with slots:
                with suppress(NotFoundError):
                    return await self.inspect(id_)
            return None

        answers = await asyncio.gather(*(look(text(table(one).get("Id"))) for one in found))
        return [one for one in answers if one is not None]

    async def inspect(self, name: str) -> Container:
        return read_container(await _within(CALL_SECONDS, self._container(name).show()))

    async def restart(self, name: str) -> None:
        await _within(await self._patience(name), self._container(name).restart())

    async def start(self, name: str) -> None:
        await _within(ACTION_SECONDS, self._container(name).start())

    async def stop(self, name: str) -> None:
        await _within(await self._patience(name), self._container(name).stop())

    async def _patience(self, name: str) -> float:
        """Give a container the time to end that it was given itself, and some more."""
        config = table(table(await _within(CALL_SECONDS, self._container(name).show())).get("Config"))
        grace = whole(config.get("StopTimeout"))
        return ACTION_SECONDS + min(STOP_SECONDS if grace is None else max(grace, 0), LONGEST_STOP_SECONDS)

    async def usage(self, name: str) -> Usage:
        """Ask for one reading, which is there at once; two by Docker take it a second or two."""
        asked = {"stream": 0, "one-shot": 1}
        call = self._api()._query_json(f"containers/{checked_name(name)}/stats", params=asked)  # noqa: SLF001 - its own method knows no one-shot
        answer = table(await _within(STATS_SECONDS, call))
        if len(self._readings) >= MOST_READINGS:
            self._readings.clear()
        before, self._readings[name] = self._readings.get(name), answer.get("cpu_stats")
        return usage_of(with_reading_before(answer, before))

    async def logs(self, name: str, query: LogQuery) -> LogStream:
        data = table(await _within(CALL_SECONDS, self._container(name).show()))
        asked: dict[str, object] = {
            "stdout": 1,
            "stderr": 1,
            "timestamps": 1,
            "tail": query.tail,
            "follow": int(query.is_following),
        }
        if query.since is not None:
            asked["since"] = f"{query.since:.6f}"
        if query.until is not None:
            asked["until"] = f"{query.until:.6f}"
        # Its own method for logs does not tell the streams apart.
        call = self._api()._do_query(f"containers/{read_container(data).id}/logs", "GET", params=asked, timeout=None)  # noqa: SLF001
        response = await _within(CALL_SECONDS, call)
        return _Lines(response, has_terminal=table(data.get("Config")).get("Tty") is True)

    async def events(self, since: int | None = None) -> AsyncGenerator[ContainerEvent]:
        asked = {"filters": msgspec.json.encode({"type": ["container"], "event": list(KINDS)}).decode()}
        if since is not None:
            asked["since"] = f"{since // 10**9}.{since % 10**9:09d}"
        # Its own reader of events swallows what breaks the stream, and forgets the nanoseconds.
        call = self._api()._do_query("events", "GET", params=asked, timeout=None)  # noqa: SLF001
        return _events(await _within(CALL_SECONDS, call))

    async def close(self) -> None:
        docker, self._docker = self._docker, None
        if docker is not None:
            with suppress(Exception):
                async with asyncio.timeout(CALL_SECONDS):
                    await docker.close()

    def _container(self, name: str) -> Any:  # noqa: ANN401 - aiodocker's own class, not imported here
        return self._api().containers.container(checked_name(name))

    def _api(self) -> Any:  # noqa: ANN401 - aiodocker's own class, not imported here
        if self._docker is None:
            raise NoDockerError("Docker does not answer")
        return self._docker


async def _events(response: Any) -> AsyncGenerator[ContainerEvent]:  # noqa: ANN401 - aiohttp's
    """Read one object a line, whatever pieces they come in."""
    rest = b""
    try:
        while data := await _translated(response.content.readany()):
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > LONGEST_EVENT:
                raise DockerError("Docker sends an event without end")
            for line in filter(None, map(bytes.strip, lines)):
                if (event := _event(line)) is not None:
                    yield event
    finally:
        response.close()


def _event(line: bytes) -> ContainerEvent | None:
    try:
        return read_event(msgspec.json.decode(line))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DockerError("Docker's events cannot be read") from error


class _Lines:
    """The lines in an answer of Docker's. No generator: one that was never begun could not close the connection."""

    def __init__(self, response: Any, *, has_terminal: bool) -> None:  # noqa: ANN401 - aiohttp's
        self._response = response
        self._lines = (raw_lines if has_terminal else framed_lines)(response.content)

    def __aiter__(self) -> "_Lines":
        return self

    async def __anext__(self) -> LogLine:
        line = await _translated(anext(self._lines, None))
        if line is None:
            self._response.close()
            raise StopAsyncIteration
        return line

    async def aclose(self) -> None:
        self._response.close()
        await self._lines.aclose()


def _client(host: str) -> Any:  # noqa: ANN401 - aiodocker's own class
    """Make a client, or raise NoDockerError: it needs a library for ssh://, and files for TLS."""
    import aiodocker  # noqa: PLC0415 - 11 MB that only those pay who have Docker

    try:
        docker = aiodocker.Docker(url=host)
        docker.connector._limit = 0  # noqa: SLF001 - else a hundred logs that are followed leave us no connection
    except Exception as error:
        reason = str(getattr(error, "message", None) or error)[:LONGEST_REASON]
        raise NoDockerError(f"Docker cannot be asked at {host}: {reason}") from error
    return docker


async def _answers(host: str) -> None:
    """Raise NoDockerError unless somebody listens at a local socket; cheaper than the import of a client."""
    scheme, _, path = host.partition("://")
    if scheme != "unix":
        return
    try:
        async with asyncio.timeout(CALL_SECONDS), AsyncExitStack() as stack:
            _, writer = await asyncio.open_unix_connection(path)
            stack.callback(writer.close)
    except (OSError, TimeoutError) as error:
        reason = getattr(error, "strerror", None) or "no answer"
        raise NoDockerError(f"Docker does not answer at {host}: {reason}") from error


async def _within(seconds: float, call: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await _translated(call)
    except TimeoutError as error:
        raise DockerTimeoutError(f"Docker did not answer within {seconds:g} s") from error


async def _translated(call: Awaitable[T]) -> T:
    try:
        return await call
    except (TimeoutError, DockerError):
        raise
    except asyncio.CancelledError as error:  # a client that is closed cancels what others wait for
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise NoDockerError("the connection to Docker was closed") from error
    except Exception as error:  # aiodocker, aiohttp and the decoder of its answers each have their own
        kind = NotFoundError if getattr(error, "status", None) == 404 else DockerError
        reason = getattr(error, "message", None)
        raise kind(str(reason or error or type(error).__name__)[:LONGEST_REASON]) from error
