"""What the containers of services have written, streamed as text or as JSON lines."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from weakref import WeakSet

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fks_master.api.answers import problem
from fks_master.api.endpoint import Access, Endpoint
from fks_master.api.questions import read_query
from fks_master.api.routes.services import unknown_service
from fks_master.clock import Clock
from fks_master.docker.engine import Engine, LogQuery, LogStream
from fks_master.docker.following import Following
from fks_master.docker.lines import LogLine, clean
from fks_master.docker.merge import merge
from fks_master.errors import DockerError, DockerTimeoutError, NoDockerError, NotFoundError
from fks_master.hub import Hub

MOST_LINES = 10_000
MOST_SERVICES = 20
MOST_STREAMS = 200  # at once, of all readers: each is a connection to Docker
NO_LINE = LogLine("", "stderr", "")
PATIENCE_SECONDS = 0.25  # how long a line waits for an earlier one of another service
AGO = re.compile(r"([1-9][0-9]{0,5})([smhd])")
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class LogsQuery(msgspec.Struct, frozen=True):
    """Which lines, and how.

    `since` is a time or an age such as 90s, 15m, 2h, 1d; `grep` a text that a line must contain, whatever its case;
    `format` is text or ndjson. Colours of a terminal are kept in text unless `colours` is off.
    """

    tail: int = 200
    since: str | None = None
    follow: bool = False
    grep: str = ""
    format: str = "text"
    colours: bool = True

    def validate(self) -> None:
        """Raise ValueError for what is out of bounds."""
        if not 0 <= self.tail <= MOST_LINES:
            raise ValueError(f"tail is a number of lines from 0 to {MOST_LINES}")
        if self.format not in {"text", "ndjson"}:
            raise ValueError("format is text or ndjson")

    def asked(self, now: datetime) -> LogQuery:
        """Raise ValueError where `since` is neither a time nor an age."""
        return LogQuery(tail=self.tail, since=self._since(now), is_following=self.follow)

    def _since(self, now: datetime) -> float | None:
        if self.since is None:
            return None
        if age := AGO.fullmatch(self.since):
            return now.timestamp() - int(age[1]) * UNIT_SECONDS[age[2]]
        try:
            since = datetime.fromisoformat(self.since)
            return (since if since.tzinfo else since.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError) as error:
            raise ValueError("since is a time such as 2026-01-31T03:00:00Z, or an age such as 15m") from error


class NamedLine(msgspec.Struct, frozen=True):
    """One line of `format=ndjson`; `stream` is stdout or stderr."""

    service_id: str
    timestamp: str
    stream: str
    text: str


class LogRoutes:
    """Reads from the engine when asked; nothing is kept."""

    def __init__(self, hub: Hub, engine: Engine, clock: Clock) -> None:
        self._hub = hub
        self._engine = engine
        self._clock = clock
        self._open_streams = WeakSet[LogStream]()  # weak: an answer that is never begun ends nothing

    def endpoints(self) -> list[Endpoint]:
        errors = (400, 401, 403, 404, 409, 421, 429, 502, 503, 504)
        return [
            Endpoint(
                method="GET",
                path="/api/services/{service_id}/logs",
                handle=self.one,
                access=Access.READ,
                summary="The last lines of a service's container, and those to come with `follow`",
                query=LogsQuery,
                errors=errors,
                media_type="text/plain",
            ),
            Endpoint(
                method="GET",
                path="/api/logs",
                handle=self.several,
                access=Access.READ,
                summary="The lines of several services, `service` given once for each, merged by time",
                query=LogsQuery,
                errors=errors,
                media_type="text/plain",
            ),
        ]

    async def one(self, request: Request) -> Response:
        return await self._answer(request, [request.path_params["service_id"]])

    async def several(self, request: Request) -> Response:
        ids = list(dict.fromkeys(request.query_params.getlist("service")))
        if not 0 < len(ids) <= MOST_SERVICES:
            return problem(400, "Bad request", f"name 1 to {MOST_SERVICES} services, as in ?service=a&service=b")
        return await self._answer(request, ids)

    async def _answer(self, request: Request, ids: list[str]) -> Response:
        query = read_query(request, LogsQuery)
        if isinstance(query, Response):
            return query
        if wrong := next(filter(None, map(self._without_logs, ids)), None):
            return wrong
        if len(self._open_streams) + len(ids) > MOST_STREAMS:
            return problem(503, "Too many readers", f"{len(self._open_streams)} logs are being read already")
        try:
            query.validate()
            streams = await self._open(ids, query.asked(self._clock.now()))
        except ValueError as error:
            return problem(400, "Bad request", str(error))
        except DockerError as error:
            return refused(error)
        kind = "application/x-ndjson" if query.format == "ndjson" else "text/plain; charset=utf-8"
        return StreamingResponse(self._written(streams, query), media_type=kind)

    def _without_logs(self, service_id: str) -> Response | None:
        """Return the problem of a service that has nothing to read."""
        service = self._hub.services.get(service_id)
        if service is None:
            return unknown_service(service_id)
        if service.docker_container is None:
            return problem(409, "No container", f"{service_id} has no docker_container in the config to read from")
        return None

    async def _open(self, ids: list[str], asked: LogQuery) -> list[tuple[str, LogStream]]:
        async with AsyncExitStack() as stack:
            streams: list[tuple[str, LogStream]] = []
            names = [self._hub.services[service_id].docker_container or "" for service_id in ids]
            for service_id, name in zip(ids, names, strict=True):
                lines = await self._engine.logs(name, asked)
                if asked.is_following:
                    lines = Following(self._engine, self._clock, name, lines)
                stack.push_async_callback(lines.aclose)
                self._open_streams.add(lines)
                streams.append((service_id, lines))
            stack.pop_all()
            return streams

    async def _written(self, streams: list[tuple[str, LogStream]], query: LogsQuery) -> AsyncIterator[bytes]:
        wanted = query.grep.casefold()
        async with AsyncExitStack() as stack:
            for _, lines in streams:
                stack.push_async_callback(lines.aclose)
                stack.callback(self._open_streams.discard, lines)
            merged = merge(streams, PATIENCE_SECONDS if query.follow else None)
            stack.push_async_callback(merged.aclose)
            try:
                async for service_id, line in merged:
                    text = clean(line.text, has_colours=query.colours)
                    if not wanted or wanted in clean(text, has_colours=False).casefold():
                        yield _line(service_id, line, text, query, is_alone=len(streams) == 1)
            except DockerError as error:  # the answer has begun: all that is left is to say so in it
                yield _line("fks_master", NO_LINE, f"the logs break off here: {error}", query, is_alone=False)


def refused(error: DockerError) -> Response:
    """Say in a status whether Docker is absent, silent or unwilling."""
    statuses = {
        NoDockerError: (503, "No Docker"),
        DockerTimeoutError: (504, "Docker does not answer"),
        NotFoundError: (404, "No container"),
    }
    status, title = statuses.get(type(error), (502, "Docker refused"))
    return problem(status, title, str(error))


def _line(service_id: str, line: LogLine, text: str, query: LogsQuery, *, is_alone: bool) -> bytes:
    if query.format == "ndjson":
        return msgspec.json.encode(NamedLine(service_id, line.timestamp, line.stream, text)) + b"\n"
    return f"{text}\n".encode() if is_alone else f"{service_id} | {text}\n".encode()
