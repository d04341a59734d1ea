"""Alerts, silences, maintenance, receivers, and the log of what was delivered."""

import secrets
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from fks_master.alerts.alerter import Alerter
from fks_master.alerts.notice import Alert, AlertState, Severity
from fks_master.alerts.notify import Verdict
from fks_master.alerts.outbox import Lane
from fks_master.alerts.silences import Silence, Window
from fks_master.alerts.store import Delivery
from fks_master.api.answers import as_json, problem
from fks_master.api.endpoint import Access, Endpoint
from fks_master.api.questions import read_body, read_query, unavailable
from fks_master.clock import Clock
from fks_master.errors import StorageError

MOST_SILENCES = 1000
LONGEST_SILENCE = timedelta(days=366)
Short = Annotated[str, Meta(max_length=100)]


class AlertLine(msgspec.Struct, frozen=True):
    """An open alert. `muted` is why nobody is told (now); `told_at` when people were."""

    id: str
    state: AlertState
    event_type: str
    service_id: str | None
    service_name: str | None
    message: str
    severity: Severity
    critical: bool
    since: datetime
    told_at: datetime | None
    muted: str | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    labels: dict[str, str]


class Acknowledge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who has it in hand; without a name it is whoever asks."""

    by: Short = ""


class NewSilence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to mute and for how long.

    `matchers` maps labels (service_id, service_type, event_type, severity, and those of the config) to patterns with
    `*` and `?`; all must fit. Either `ends`, or `duration_seconds` from now.
    """

    matchers: Annotated[dict[Short, Short], Meta(min_length=1, max_length=20)]
    comment: Annotated[str, Meta(max_length=1000)] = ""
    author: Short = ""
    duration_seconds: Annotated[float, Meta(gt=0)] | None = None
    ends: datetime | None = None

    def bound(self, now: datetime) -> datetime:
        """Return when it ends; raises ValueError where that cannot be."""
        if (self.ends is None) == (self.duration_seconds is None):
            raise ValueError("expected either ends or duration_seconds")
        if self.ends is not None and self.ends.tzinfo is None:
            raise ValueError("ends: expected a time with its zone, such as 2026-01-31T03:00:00Z")
        longest = LONGEST_SILENCE.total_seconds()
        ends = self.ends or now + timedelta(seconds=min(self.duration_seconds or 0.0, longest + 1))
        if not now < ends <= now + LONGEST_SILENCE:
            raise ValueError("the end must be later than now, and at most a year away")
        return ends


class DeliveryQuery(msgspec.Struct, frozen=True):
    """How many, the newest first."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class DeliveryLine(msgspec.Struct, frozen=True):
    """One notification to one receiver. `state` is pending, sent or refused; `answer` what the receiver said last."""

    id: str
    receiver: str
    event_type: str
    service_id: str | None
    message: str
    created: datetime
    state: str
    tries: int
    answer: str | None
    finished: datetime | None


class ReceiverLine(msgspec.Struct, frozen=True):
    """One receiver without its secrets, and how it fares since the monitor started; `answer` is its last one."""

    name: str
    kind: str
    waiting: int
    sent: int
    refused: int
    is_failing: bool
    failing_since: datetime | None
    answer: str | None


class Tested(msgspec.Struct, frozen=True):
    """What came of a test: sent, again (it failed in a way that may pass) or refused."""

    receiver: str
    success: bool
    verdict: Verdict
    answer: str


class WindowLine(msgspec.Struct, frozen=True):
    """A maintenance window of the config, and whether it lasts at this moment."""

    window: Window
    is_active: bool


def line_of(alert: Alert) -> AlertLine:
    notice = alert.notice
    return AlertLine(
        alert.key, alert.state, notice.event_type, notice.service_id, notice.service_name, notice.message,
        notice.severity, notice.critical, alert.began, alert.told_at, alert.muted, alert.acknowledged_by,
        alert.acknowledged_at, alert.labels,
    )  # fmt: skip


def _delivery(one: Delivery) -> DeliveryLine:
    notice = one.notice
    return DeliveryLine(
        one.id, one.receiver, notice.event_type, notice.service_id, notice.message, one.created, one.state, one.tries,
        one.answer, one.finished,
    )  # fmt: skip


def _receiver(lane: Lane) -> ReceiverLine:
    one = lane.receiver
    return ReceiverLine(
        one.name, one.kind, len(lane), lane.sent, lane.refused, lane.is_failing, lane.failing_since, lane.answer
    )


def _who(request: Request, said: str) -> str:
    return said or request.scope["state"]["caller"].name


class AlertRoutes:
    """Shows and changes what the alerter has."""

    def __init__(self, alerter: Alerter, clock: Clock) -> None:
        self._alerter = alerter
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        read, operate = Access.READ, Access.OPERATE
        return [
            Endpoint(
                method="GET", path="/api/alerts", handle=self.alerts, access=read,
                summary="Open alerts, the gravest first", answer=list[AlertLine],
            ),
            Endpoint(
                method="POST", path="/api/alerts/{alert_id}/acknowledge", handle=self.acknowledge, access=operate,
                summary="Have it in hand: no repeats, no escalation", body=Acknowledge, answer=AlertLine,
                errors=(400, 404, 413),
            ),
            Endpoint(
                method="GET", path="/api/silences", handle=self.silences, access=read,
                summary="Silences that last or are to come", answer=list[Silence],
            ),
            Endpoint(
                method="POST", path="/api/silences", handle=self.silence, access=operate, status=201,
                summary="Mute alerts for a time", body=NewSilence, answer=Silence, errors=(400, 409, 413),
            ),
            Endpoint(
                method="DELETE", path="/api/silences/{silence_id}", handle=self.lift, access=operate, status=204,
                summary="End a silence now", errors=(404,),
            ),
            Endpoint(
                method="GET", path="/api/maintenance", handle=self.maintenance, access=read,
                summary="Maintenance windows of the config", answer=list[WindowLine],
            ),
            Endpoint(
                method="GET", path="/api/deliveries", handle=self.deliveries, access=read,
                summary="What was sent to whom, the newest first", query=DeliveryQuery, answer=list[DeliveryLine],
                errors=(400, 503),
            ),
            Endpoint(
                method="GET", path="/api/receivers", handle=self.receivers, access=read,
                summary="Who can be told", answer=list[ReceiverLine],
            ),
            Endpoint(
                method="POST", path="/api/receivers/{receiver}/test", handle=self.test, access=operate,
                summary="Send a harmless notification to a receiver now", answer=Tested, errors=(404,),
            ),
        ]  # fmt: skip

    async def alerts(self, _: Request) -> Response:
        found = sorted(self._alerter.pipeline.alerts.values(), key=lambda one: (one.notice.severity.rank, one.began))
        return as_json([line_of(one) for one in found])

    async def acknowledge(self, request: Request) -> Response:
        body = await read_body(request, Acknowledge)
        if isinstance(body, Response):
            return body
        name = request.path_params["alert_id"]
        found = await self._alerter.acknowledge(name, _who(request, body.by))
        if found is None:
            return problem(404, "Unknown alert", f"no alert {name[:200]!r} is open; see /api/alerts")
        return as_json(line_of(found))

    async def silences(self, _: Request) -> Response:
        return as_json(self._lasting())

    async def silence(self, request: Request) -> Response:
        body = await read_body(request, NewSilence)
        if isinstance(body, Response):
            return body
        now = self._clock.now()
        try:
            ends = body.bound(now)
        except (ValueError, OverflowError) as error:
            return problem(400, "Bad request", str(error))
        if len(self._lasting()) >= MOST_SILENCES:
            return problem(409, "Too many silences", f"{MOST_SILENCES} last already; end some of them first")
        made = Silence(secrets.token_hex(8), body.matchers, now, ends, _who(request, body.author), body.comment)
        await self._alerter.silence(made)
        return as_json(made, 201)

    async def lift(self, request: Request) -> Response:
        name = request.path_params["silence_id"]
        if await self._alerter.lift(name):
            return Response(status_code=204)
        return problem(404, "Unknown silence", f"no silence {name[:100]!r} lasts; see /api/silences")

    async def maintenance(self, _: Request) -> Response:
        now = self._clock.now()
        windows = self._alerter.pipeline.world.windows
        return as_json([WindowLine(one, one.is_active(now)) for one in windows])

    async def deliveries(self, request: Request) -> Response:
        query = read_query(request, DeliveryQuery)
        if isinstance(query, Response):
            return query
        try:
            return as_json([_delivery(one) for one in await self._alerter.deliveries(query.limit)])
        except StorageError as error:
            return unavailable(error)

    async def receivers(self, _: Request) -> Response:
        return as_json([_receiver(lane) for lane in self._alerter.lanes.values()])

    async def test(self, request: Request) -> Response:
        name = request.path_params["receiver"]
        answer = await self._alerter.test(name)
        if answer is None:
            known = ", ".join(self._alerter.lanes) or "none is configured"
            return problem(404, "Unknown receiver", f"no receiver {name[:100]!r}; known: {known}"[:1000])
        return as_json(Tested(name, answer.verdict is Verdict.SENT, answer.verdict, answer.text))

    def _lasting(self) -> list[Silence]:
        return self._alerter.lasting(self._clock.now())
