"""Signals of jobs, and how they fare. The token in the address is the credential of the one job that it belongs to."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from fks_master.api.answers import as_json, problem
from fks_master.api.auth import address_of, fingerprint
from fks_master.api.endpoint import Access, Endpoint
from fks_master.api.guard import Refusal
from fks_master.api.questions import read_query
from fks_master.clock import Clock
from fks_master.heartbeats.schedule import Health, Said, Signal
from fks_master.heartbeats.ward import Ward
from fks_master.model import Service

EXIT_CODE = re.compile(r"\d{1,3}", re.ASCII)
MOST_KEPT = 10_240
MOST_READ = 1_048_576

CountWrong = Callable[[str], Refusal]


class SignalQuery(msgspec.Struct, frozen=True):
    """What the job says of itself. Without anything: that it ended well."""

    state: Signal | None = None
    exit_code: Annotated[int, Meta(ge=0, le=255)] | None = None
    duration_seconds: Annotated[float, Meta(ge=0, le=31_622_400)] | None = None


class Heard(msgspec.Struct, frozen=True):
    """The signal is taken. `due` is when the next one is expected."""

    ok: bool
    state: Signal
    due: datetime


class HeartbeatLine(msgspec.Struct, frozen=True):
    """How a job fares. It is late at `due` and `grace_seconds`; `running_since` is set while a run is under way."""

    service_id: str
    service_name: str
    state: Health
    due: datetime
    grace_seconds: float
    period_seconds: float | None
    cron: str | None
    zone: str
    longest_seconds: float | None
    running_since: datetime | None
    last_ended: datetime | None
    last_succeeded: datetime | None
    exit_code: int | None
    duration_seconds: float | None


class HeartbeatRoutes:
    """Hears and shows."""

    def __init__(self, ward: Ward, count_wrong: CountWrong, clock: Clock) -> None:
        self._ward = ward
        self._count_wrong = count_wrong
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        summary = "Say that a job began, ended well or failed; the body's last 10 kB are kept as evidence"
        errors = (400, 404, 429)
        return [
            Endpoint(
                method="GET", path="/api/heartbeats", handle=self.lines, access=Access.READ,
                summary="Jobs that report themselves, and when they are due", answer=list[HeartbeatLine],
            ),
            Endpoint(
                method="POST", path="/api/heartbeat/{token}", handle=self.hear, access=Access.OPEN, summary=summary,
                query=SignalQuery, answer=Heard, errors=errors,
            ),
            Endpoint(
                method="POST", path="/api/heartbeat/{token}/{signal}", handle=self.hear, access=Access.OPEN,
                summary=f"{summary}; `signal` is start, success, fail or an exit code", query=SignalQuery,
                answer=Heard, errors=errors,
            ),
        ]  # fmt: skip

    async def lines(self, _: Request) -> Response:
        return as_json([self._line(service) for service in self._ward.jobs])

    async def hear(self, request: Request) -> Response:
        service = self._ward.find(fingerprint(request.path_params["token"]))
        if service is None:
            return self._unknown(request)
        said = _read_signal(request)
        if isinstance(said, Response):
            return said
        if self._ward.is_too_often(service):
            return problem(429, "Too many signals", "at most 120 a minute")
        said = msgspec.structs.replace(said, body=await _read_end(request))
        await self._ward.hear(service, said)
        return as_json(Heard(ok=True, state=said.signal, due=self._ward.due(service)))

    def _unknown(self, request: Request) -> Response:
        refusal = self._count_wrong(address_of(request))
        if refusal.status == 429:
            return problem(429, "Refused", "too many wrong tokens")
        return problem(404, "Unknown heartbeat", "no service has this token")

    def _line(self, service: Service) -> HeartbeatLine:
        options, beat = service.heartbeat, self._ward.beat(service)
        return HeartbeatLine(
            service.id, service.name, self._ward.health(service, self._clock.now()), self._ward.due(service),
            options.grace_seconds, options.period_seconds, options.cron, options.zone, options.longest_seconds,
            beat.started_at, beat.ended_at, beat.succeeded_at, beat.exit_code, beat.seconds,
        )  # fmt: skip


def _read_signal(request: Request) -> Said | Response:
    """Read what the path and the query say; an exit code alone decides between success and failure."""
    query = read_query(request, SignalQuery)
    if isinstance(query, Response):
        return query
    said, code = request.path_params.get("signal"), query.exit_code
    if said is not None and EXIT_CODE.fullmatch(said) and int(said) <= 255:
        code, said = int(said), None
    if said is not None and said not in set(Signal):
        return problem(400, "Bad signal", "expected start, success, fail or an exit code from 0 to 255")
    signal = Signal(said) if said else query.state or (Signal.FAIL if code else Signal.SUCCESS)
    if signal is Signal.SUCCESS and code:
        signal = Signal.FAIL
    return Said(signal, code, query.duration_seconds)


async def _read_end(request: Request) -> str | None:
    """Keep the end of what the job wrote, where a failure stands. What is far too long is not read to its end."""
    body, count = b"", 0
    async for part in request.stream():
        body = (body + part)[-MOST_KEPT:]
        count += len(part)
        if count > MOST_READ:
            break
    return body.decode("utf-8", "replace").strip() or None
