"""What one completed check found."""

from datetime import datetime
from enum import StrEnum

import msgspec

from fks_master.model.status import Status


class Outcome(StrEnum):
    """Whether the question was answered well; void when we could not look."""

    SUCCESS = "success"
    FAILURE = "failure"
    VOID = "void"


class Reason(StrEnum):
    """Why a check failed: a closed list, shared by API, log and metric labels.

    `unseen` is none: whoever would have told us does not know, or does not answer.
    """

    DNS = "dns"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    RESET = "reset"
    TLS = "tls"
    PROTOCOL = "protocol"
    STATUS = "status"
    BODY = "body"
    REPORTED = "reported"
    CONTAINER = "container"
    LATE = "late"
    INTERNAL = "internal"
    UNSEEN = "unseen"


class Phases(msgspec.Struct, frozen=True):
    """Seconds spent in each phase of a probe; zero where a phase did not happen."""

    dns: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    first_byte: float = 0.0
    transfer: float = 0.0

    @property
    def happened(self) -> list[tuple[str, float]]:
        """Give the phases that happened, in their order."""
        values = zip(self.__struct_fields__, msgspec.structs.astuple(self), strict=True)
        return [(name, seconds) for name, seconds in values if seconds]


class Component(msgspec.Struct, frozen=True):
    """A part or dependency that a service reports about in its health body."""

    name: str
    status: Status
    latency_ms: float | None = None
    message: str | None = None


class Certificate(msgspec.Struct, frozen=True):
    """What a server showed: valid from `begins` until `expires`, made by `issuer` for `subject`."""

    subject: str
    issuer: str
    begins: datetime
    expires: datetime

    def days_left(self, now: datetime) -> float:
        return (self.expires - now).total_seconds() / 86400

    def is_expiring(self, now: datetime, warn_days: float) -> bool:
        """Whether less than `warn_days` are left, or than a quarter of its life if that is shorter."""
        life = (self.expires - self.begins).total_seconds() / 86400
        return self.days_left(now) < min(warn_days, life / 4)


class Result(msgspec.Struct, frozen=True):
    """One check, after all its tries.

    `seconds` is the last try's total time. `degraded` says that the answer was good but reported trouble of its own.
    `is_report` says that the service itself reported, or did not in time: that needs no second look.
    `remote` is the address that answered; `excerpt`, the beginning of the body, and `trace_id` are kept of failures.
    """

    service_id: str
    outcome: Outcome
    at: datetime
    seconds: float = 0.0
    reason: Reason | None = None
    message: str | None = None
    status_code: int | None = None
    phases: Phases = Phases()
    degraded: bool = False
    components: tuple[Component, ...] = ()
    tries: int = 1
    certificate: Certificate | None = None
    remote: str | None = None
    http_version: str | None = None
    excerpt: str | None = None
    is_report: bool = False
    trace_id: str | None = None
