"""One `[[alerts.rules]]` table, and what each kind of rule may say in it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from fks_master.alerts import matchers
from fks_master.alerts.notice import Severity
from fks_master.model import EventType, Service, grammar


class RuleKind(StrEnum):
    """What a rule looks at."""

    DEGRADED = "degraded"
    LATENCY = "latency"
    ERROR_RATE = "error_rate"
    CERTIFICATE = "certificate"
    CRASH_LOOP = "crash_loop"
    OUT_OF_MEMORY = "out_of_memory"
    CPU = "cpu"
    MEMORY = "memory"
    JOB_FAILED = "job_failed"
    MONITOR_DEGRADED = "monitor_degraded"


# What may stand in a rule of each kind beside name, severity, services and where, and what holds where it is left out.
FIELDS: Mapping[RuleKind, Mapping[str, float]] = {
    RuleKind.DEGRADED: {"for_seconds": 300.0},
    RuleKind.LATENCY: {"above_ms": 1000.0, "percentile": 95.0, "window_seconds": 300.0, "for_seconds": 0.0},
    RuleKind.ERROR_RATE: {"above_percent": 10.0, "window_seconds": 600.0, "for_seconds": 0.0},
    RuleKind.CERTIFICATE: {"below_days": 14.0},
    RuleKind.CRASH_LOOP: {"count": 3, "window_seconds": 600.0},
    RuleKind.OUT_OF_MEMORY: {"count": 1, "window_seconds": 600.0},
    RuleKind.CPU: {"above_percent": 90.0, "for_seconds": 300.0},
    RuleKind.MEMORY: {"above_percent": 90.0, "for_seconds": 60.0},
    RuleKind.JOB_FAILED: {"count": 1, "window_seconds": 3600.0},
    RuleKind.MONITOR_DEGRADED: {"for_seconds": 30.0},
}
EVENT_TYPES = {
    RuleKind.DEGRADED: EventType.SERVICE_DEGRADED,
    RuleKind.LATENCY: EventType.LATENCY_HIGH,
    RuleKind.ERROR_RATE: EventType.ERROR_RATE_HIGH,
    RuleKind.CERTIFICATE: EventType.CERTIFICATE_EXPIRING,
    RuleKind.CRASH_LOOP: EventType.CRASH_LOOP,
    RuleKind.OUT_OF_MEMORY: EventType.OUT_OF_MEMORY,
    RuleKind.CPU: EventType.CPU_HIGH,
    RuleKind.MEMORY: EventType.MEMORY_HIGH,
    RuleKind.JOB_FAILED: EventType.JOB_FAILED,
    RuleKind.MONITOR_DEGRADED: EventType.MONITOR_DEGRADED,
}

Condition = Annotated[str, Meta(extra={"format": grammar.expected_by(matchers.parse)})]
Name = Annotated[str, Meta(extra={"format": grammar.label})]
Seconds = Annotated[float, Meta(ge=0, le=86400)]


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be told, of whom (all services, if none is named), and how much it matters."""

    kind: RuleKind
    name: Name | None = None
    severity: Severity = Severity.WARNING
    services: tuple[Name, ...] = ()
    where: tuple[Condition, ...] = ()
    for_seconds: Seconds | None = None
    window_seconds: Annotated[float, Meta(ge=1, le=86400)] | None = None
    above_ms: Annotated[float, Meta(ge=1, le=3_600_000)] | None = None
    above_percent: Annotated[float, Meta(ge=0, le=10_000)] | None = None
    below_days: Annotated[float, Meta(ge=0, le=3650)] | None = None
    percentile: Annotated[float, Meta(ge=1, le=100)] | None = None
    count: Annotated[int, Meta(ge=1, le=1000)] | None = None

    @property
    def title(self) -> str:
        return self.name or self.kind.value

    def option(self, name: str) -> float:
        """Give what is written, else what holds for the kind."""
        said: float | None = getattr(self, name)
        return FIELDS[self.kind].get(name, 0.0) if said is None else said

    def is_about(self, service: Service) -> bool:
        if self.services and service.id not in self.services:
            return False
        return not self.where or matchers.fits_all(self.where, labels_of(service))

    @property
    def unfit_options(self) -> list[str]:
        """Name the options that mean nothing for the kind."""
        fitting = {"kind", "name", "severity", "services", "where", *FIELDS[self.kind]}
        return [name for name in self.__struct_fields__ if name not in fitting and getattr(self, name) is not None]


def labels_of(service: Service) -> dict[str, str]:
    """Give the labels that conditions may name."""
    about = {
        "service_id": service.id,
        "service_type": service.service_type.value,
        "critical": str(service.critical).lower(),
        "probe": service.health_endpoint.partition(":")[0],
    }
    return {**service.labels, **about, **({"group": service.group} if service.group else {})}
