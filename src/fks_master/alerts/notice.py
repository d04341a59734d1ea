"""What people are told, and the alerts that it is about."""

from datetime import datetime
from enum import StrEnum

import msgspec

from fks_master.model import Event, EventType


class Severity(StrEnum):
    """How much it matters; the order is that of gravity."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class Cause(StrEnum):
    """Why something is told now."""

    NEWS = "news"
    REPEAT = "repeat"
    ESCALATION = "escalation"
    ACKNOWLEDGEMENT = "acknowledgement"
    TEST = "test"


class AlertState(StrEnum):
    """Whether people know of an alert, have it in hand, or are not to hear of it now.

    `firing`: it is to be told, but no receiver takes it, so nobody was.
    """

    WAITING = "waiting"
    FIRING = "firing"
    TOLD = "told"
    ACKNOWLEDGED = "acknowledged"
    MUTED = "muted"


class Notice(msgspec.Struct, frozen=True):
    """One fact for people. `id` is the same in every repeat of the same message, and in no other.

    `thread` is shared by all notices of one episode of an alert, from its beginning to its end.
    """

    id: str
    event_type: str
    service_id: str | None
    service_name: str | None
    message: str
    timestamp: datetime
    data: dict[str, object] = {}
    severity: Severity = Severity.INFO
    critical: bool = False
    is_firing: bool = True
    cause: Cause = Cause.NEWS
    thread: str = ""


class Alert(msgspec.Struct, frozen=True):
    """A condition. `notice` says how it is now, `told_id` which notice people know; `muted` why they know no more.

    `heard_at` is when the pipeline learned of the notice, by its own time, which does not step; `receivers` were told.
    `reminded` says who was told again when, if anybody was; `is_put_off` that people muted it after it was told.
    """

    key: str
    notice: Notice
    began: datetime
    labels: dict[str, str] = {}
    told_id: str | None = None
    told_at: datetime | None = None
    muted: str | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    repeats: int = 0
    escalated: tuple[str, ...] = ()
    heard_at: datetime | None = None
    receivers: tuple[str, ...] = ()
    is_unheard: bool = False
    reminded: dict[str, datetime] = {}
    is_put_off: bool = False

    @property
    def heard(self) -> datetime:
        return self.heard_at or self.notice.timestamp

    @property
    def state(self) -> AlertState:
        if self.acknowledged_by:
            return AlertState.ACKNOWLEDGED
        if self.told_id is not None:
            return AlertState.TOLD
        if self.is_unheard:
            return AlertState.FIRING
        return AlertState.MUTED if self.muted else AlertState.WAITING

    @property
    def is_nagging(self) -> bool:
        """Whether people know of it, as it is now, and nobody has it in hand."""
        is_known = self.told_at is not None and self.notice.id == self.told_id
        return is_known and self.notice.is_firing and not self.acknowledged_by

    @property
    def service_id(self) -> str | None:
        return self.notice.service_id

    def outgoing(self, receiver: str, notice: Notice) -> "Outgoing":
        """Address a notice about this alert to a receiver."""
        thread = f"{self.key}@{int(self.began.timestamp() * 1000)}"
        return Outgoing(receiver, msgspec.structs.replace(notice, thread=thread))


class Outgoing(msgspec.Struct, frozen=True):
    """A notice on its way to one receiver."""

    receiver: str
    notice: Notice


_SEVERITIES = {EventType.SERVICE_UP: Severity.INFO, EventType.SERVICE_FLAPPING: Severity.WARNING}
_KNOWN = {one.value: one for one in Severity}


def moment_of(value: object) -> datetime | None:
    """Read a moment in the data of an event; one that was read from disk has it as text."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, datetime) else None


def is_of_a_rule(event: Event) -> bool:
    return "rule" in event.data and "is_firing" in event.data


def severity_of(event: Event) -> Severity:
    if is_of_a_rule(event):
        return (
            _KNOWN.get(str(event.data.get("severity")), Severity.WARNING) if event.data["is_firing"] else Severity.INFO
        )
    if event.event_type is EventType.SERVICE_DOWN:
        return Severity.CRITICAL if event.data.get("critical") else Severity.WARNING
    return _SEVERITIES.get(event.event_type, Severity.WARNING)


def _is_firing(event: Event) -> bool:
    return bool(event.data["is_firing"]) if is_of_a_rule(event) else event.event_type is not EventType.SERVICE_UP


def notice_of(event: Event, service_name: str | None) -> Notice:
    return Notice(
        id=str(event.id),
        event_type=event.event_type.value,
        service_id=event.service_id,
        service_name=service_name,
        message=event.message,
        timestamp=event.timestamp,
        data=event.data,
        severity=severity_of(event),
        critical=bool(event.data.get("critical")),
        is_firing=bool(event.data["is_firing"])
        if is_of_a_rule(event)
        else event.event_type is not EventType.SERVICE_UP,
    )
