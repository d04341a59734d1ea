"""What the containers of services have written, streamed as text or as JSON lines."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fks_master.api.answers import problem
from fks_master.api.endpoint import Access, Endpoint
from fks_master.api.questions import read_query
from fks_master.api.routes.services import unknown_service
from fks_master.clock import Clock
from fks_master.docker.engine import Engine, LogQuery
from fks_master.docker.lines import LogLine, clean, merge
from fks_master.errors import DockerError, DockerTimeoutError, NoDockerError
from fks_master.hub import Hub

MOST_LINES = 10_000
MOST_SERVICES = 20
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
            return datetime.fromisoformat(self.since).timestamp()
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
        try:
            query.validate()
            streams = await self._open(ids, query.asked(self._clock.now()))
        except ValueError as error:
            return problem(400, "Bad request", str(error))
        except DockerError as error:
            return refused(error)
        kind = "application/x-ndjson" if query.format == "ndjson" else "text/plain; charset=utf-8"
        return StreamingResponse(_written(streams, query), media_type=kind)

    def _without_logs(self, service_id: str) -> Response | None:
        """Return the problem of a service that has nothing to read."""
        service = self._hub.services.get(service_id)
        if service is None:
            return unknown_service(service_id)
        if service.docker_container is None:
            return problem(409, "No container", f"{service_id} has no docker_container in the config to read from")
        return None

    async def _open(self, ids: list[str], asked: LogQuery) -> list[tuple[str, AsyncGenerator[LogLine]]]:
        async with AsyncExitStack() as stack:
            streams = []
            for service_id in ids:
                lines = await self._engine.logs(self._hub.services[service_id].docker_container or "", asked)
                stack.push_async_callback(lines.aclose)
                streams.append((service_id, lines))
            stack.pop_all()
            return streams


def refused(error: DockerError) -> Response:
    """Say in a status whether Docker is absent, silent or unwilling."""
    statuses = {NoDockerError: (503, "No Docker"), DockerTimeoutError: (504, "Docker does not answer")}
    status, title = statuses.get(type(error), (502, "Docker refused"))
    return problem(status, title, str(error))


async def _written(streams: list[tuple[str, AsyncGenerator[LogLine]]], query: LogsQuery) -> AsyncIterator[bytes]:
    wanted = query.grep.casefold()
    async with AsyncExitStack() as stack:
        for _, lines in streams:
            stack.push_async_callback(lines.aclose)
        merged = merge(streams, PATIENCE_SECONDS if query.follow else None)
        stack.push_async_callback(merged.aclose)
        async for service_id, line in merged:
            text = clean(line.text, has_colours=query.colours)
            if wanted and wanted not in clean(text, has_colours=False).casefold():
                continue
            if query.format == "ndjson":
                yield msgspec.json.encode(NamedLine(service_id, line.timestamp, line.stream, text)) + b"\n"
            else:
                prefix = f"{service_id} | " if len(streams) > 1 else ""
                yield f"{prefix}{text}\n".encode()
