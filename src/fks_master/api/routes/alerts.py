"""Alerts, silences, maintenance, receivers, and the log of what was delivered."""

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
    """An open alert. `muted` is why nobody is told (now); `told_at` when `receivers` were, if anybody was."""

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
    told: bool
    receivers: tuple[str, ...]


class Acknowledge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who has it in hand; without a name it is whoever asks."""

    by: Short = ""


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


def line_of(alert: Alert) -> AlertLine:
    notice = alert.notice
    return AlertLine(
        alert.key, alert.state, notice.event_type, notice.service_id, notice.service_name, notice.message,
        notice.severity, notice.critical, alert.began, alert.told_at, alert.muted, alert.acknowledged_by,
        alert.acknowledged_at, alert.labels, alert.told_id is not None, (*alert.receivers, *alert.escalated),
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
