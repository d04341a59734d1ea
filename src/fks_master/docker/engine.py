"""Docker's Engine API as far as we need it. Every call has a deadline, and fails with a DockerError or not at all."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import msgspec

from fks_master.docker.lines import LogLine, framed_lines, raw_lines
from fks_master.docker.usage import Usage, usage_of
from fks_master.errors import DockerError, DockerTimeoutError, NoDockerError, NotFoundError

T = TypeVar("T")

CALL_SECONDS = 5.0
STATS_SECONDS = 10.0
STOP_SECONDS = 10
ACTION_SECONDS = STOP_SECONDS + 20.0
LONGEST_WORDS = 200
KINDS = ("die", "oom", "health_status", "start", "stop", "kill", "destroy", "restart", "pause", "unpause", "rename")


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """What Docker knows of a container.

    `state` and `health` are Docker's own words, `health_message` what its last check of the container's health
    said at the end, `image_id` the image's digest.
    """

    id: str
    name: str
    image: str
    image_id: str = ""
    state: str
    labels: Mapping[str, str] = {}
    health: str | None = None
    health_message: str | None = None
    exit_code: int | None = None
    oom_killed: bool = False
    restart_count: int = 0
    started_at: datetime | None = None


class ContainerEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a container: one of KINDS."""

    kind: str
    container_id: str
    name: str
    exit_code: int | None = None


class LogQuery(msgspec.Struct, frozen=True):
    """Which lines: the last `tail` of those after `since` (Unix seconds), and, following, what comes."""

    tail: int = 200
    since: float | None = None
    is_following: bool = False


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
        """Return what a running container uses; takes one to two seconds, in which Docker measures."""
        ...

    async def logs(self, name: str, query: LogQuery) -> AsyncGenerator[LogLine]:
        """Open a container's output; the lines end when the container or the query does, or when closed."""
        ...

    def events(self) -> AsyncIterator[ContainerEvent]:
        """Yield what happens from now on, until the connection ends."""
        ...

    async def close(self) -> None: ...


class DockerEngine:
    """The daemon behind DOCKER_HOST; aiodocker is imported once something is to be asked of it."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._docker: Any = None

    async def connect(self) -> str:
        if self._docker is None:
            await _answers(self._host)
            import aiodocker  # noqa: PLC0415 - 11 MB that only those pay who have Docker

            self._docker = aiodocker.Docker(url=self._host)
        try:
            version = await _within(CALL_SECONDS, self._docker.version())
        except DockerError as error:
            await self.close()
            raise NoDockerError(str(error)) from error
        return str(version.get("Version", "unknown"))

    async def containers(self) -> list[Container]:
        found = await _within(CALL_SECONDS, self._api().containers.list(all=True))
        answers = await asyncio.gather(*(self.inspect(one.id) for one in found), return_exceptions=True)
        return [answer for answer in answers if isinstance(answer, Container)]

    async def inspect(self, name: str) -> Container:
        return _container(await _within(CALL_SECONDS, self._api().containers.container(name).show()))

    async def restart(self, name: str) -> None:
        await _within(ACTION_SECONDS, self._api().containers.container(name).restart(timeout=STOP_SECONDS))

    async def start(self, name: str) -> None:
        await _within(ACTION_SECONDS, self._api().containers.container(name).start())

    async def stop(self, name: str) -> None:
        await _within(ACTION_SECONDS, self._api().containers.container(name).stop(t=STOP_SECONDS))

    async def usage(self, name: str) -> Usage:
        answers = await _within(STATS_SECONDS, self._api().containers.container(name).stats(stream=False))
        return usage_of(answers[0] if answers else None)

    async def logs(self, name: str, query: LogQuery) -> AsyncGenerator[LogLine]:
        data = await _within(CALL_SECONDS, self._api().containers.container(name).show())
        asked: dict[str, object] = {
            "stdout": 1,
            "stderr": 1,
            "timestamps": 1,
            "tail": query.tail,
            "follow": int(query.is_following),
        }
        if query.since is not None:
            asked["since"] = f"{query.since:.6f}"
        # Its own method for logs does not tell the streams apart.
        call = self._api()._do_query(f"containers/{data['Id']}/logs", "GET", params=asked, timeout=None)  # noqa: SLF001
        response = await _within(CALL_SECONDS, call)
        return _until_closed(response, has_terminal=bool((data["Config"] or {}).get("Tty")))

    async def events(self) -> AsyncIterator[ContainerEvent]:
        filters = msgspec.json.encode({"type": ["container"], "event": list(KINDS)}).decode()
        stream = self._api().events
        subscriber = stream.subscribe(filters=filters)
        try:
            while (data := await subscriber.get()) is not None:
                yield _event(data)
        finally:
            with suppress(Exception):
                await stream.stop()

    async def close(self) -> None:
        docker, self._docker = self._docker, None
        if docker is not None:
            with suppress(Exception):
                async with asyncio.timeout(CALL_SECONDS):
                    await docker.close()

    def _api(self) -> Any:  # noqa: ANN401 - aiodocker's own class, not imported here
        if self._docker is None:
            raise NoDockerError("Docker does not answer")
        return self._docker


async def _until_closed(response: Any, *, has_terminal: bool) -> AsyncGenerator[LogLine]:  # noqa: ANN401 - aiohttp's
    try:
        read = raw_lines if has_terminal else framed_lines
        async for line in read(response.content):
            yield line
    finally:
        response.close()


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
            return await call
    except TimeoutError as error:
        raise DockerTimeoutError(f"Docker did not answer within {seconds:g} s") from error
    except DockerError:
        raise
    except Exception as error:  # aiodocker, aiohttp and the decoder of its answers each have their own
        kind = NotFoundError if getattr(error, "status", None) == 404 else DockerError
        raise kind(getattr(error, "message", None) or str(error) or type(error).__name__) from error


def _container(data: Mapping[str, Any]) -> Container:
    state, config = data.get("State") or {}, data.get("Config") or {}
    has_ended = state.get("Status") in {"exited", "dead"}
    return Container(
        id=data["Id"],
        name=str(data.get("Name", "")).lstrip("/"),
        image=config.get("Image", ""),
        image_id=str(data.get("Image") or ""),
        state=state.get("Status", "unknown"),
        labels=config.get("Labels") or {},
        health=(state.get("Health") or {}).get("Status"),
        health_message=_last_words(state.get("Health") or {}),
        exit_code=state.get("ExitCode") if has_ended else None,
        oom_killed=bool(state.get("OOMKilled")),
        restart_count=int(data.get("RestartCount") or 0),
        started_at=_moment(state.get("StartedAt", "")),
    )


def _last_words(health: Mapping[str, Any]) -> str | None:
    """Give the end of what the last run of a container's health check wrote, in one short line."""
    log = health.get("Log") or [{}]
    return " ".join(str(log[-1].get("Output") or "").split())[-LONGEST_WORDS:] or None


def _moment(text: str) -> datetime | None:
    """Read Docker's time; year 1 means never."""
    if not text or text.startswith("0001"):
        return None
    with suppress(ValueError):
        return datetime.fromisoformat(text[:26].rstrip("Z")).replace(tzinfo=UTC)
    return None


def _event(data: Mapping[str, Any]) -> ContainerEvent:
    actor = data.get("Actor") or {}
    attributes = actor.get("Attributes") or {}
    code = attributes.get("exitCode", "")
    return ContainerEvent(
        kind=str(data.get("Action", "")).partition(":")[0],
        container_id=str(actor.get("ID", "")),
        name=str(attributes.get("name", "")),
        exit_code=int(code) if code.isdigit() else None,
    )
