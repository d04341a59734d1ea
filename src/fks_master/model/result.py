"""What one completed check found."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """Whether the question was answered well; void when we could not look."""

    SUCCESS = "success"
    FAILURE = "failure"
    VOID = "void"


class Reason(StrEnum):
    """Why a check failed: a closed list, shared by API, log and metric labels."""

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
    INTERNAL = "internal"


class Phases(msgspec.Struct, frozen=True):
    """Seconds spent in each phase of a probe; zero where a phase did not happen."""

    dns: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    first_byte: float = 0.0
    transfer: float = 0.0


class Component(msgspec.Struct, frozen=True):
    """A part or dependency that a service reports about in its health body."""

    name: str
    healthy: bool
    latency_ms: float | None = None
    message: str | None = None


class Result(msgspec.Struct, frozen=True):
    """One check, after all its tries.

    `seconds` is the last try's total time. `degraded` says that the answer was good but reported trouble of its own.
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
