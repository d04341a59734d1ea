"""Facts about the past, immutable and numbered."""

from datetime import datetime
from enum import StrEnum

import msgspec


class EventType(StrEnum):
    """The kinds of event that the outside can subscribe to."""

    SERVICE_UP = "ServiceUp"
    SERVICE_DOWN = "ServiceDown"
    SERVICE_FLAPPING = "ServiceFlapping"
    HIGH_LATENCY = "HighLatency"
    STATUS_CHANGED = "StatusChanged"
    SERVICE_RESTARTED = "ServiceRestarted"
    CONTAINER_DIED = "ContainerDied"
    CONTAINER_STARTED = "ContainerStarted"
    CONTAINER_STOPPED = "ContainerStopped"
    CONTAINER_OUT_OF_MEMORY = "ContainerOutOfMemory"
    CONTAINER_HEALTH_CHANGED = "ContainerHealthChanged"
    CONTAINER_PAUSED = "ContainerPaused"
    CONTAINER_RESUMED = "ContainerResumed"
    CONTAINER_REMOVED = "ContainerRemoved"
    CONTAINER_CRASH_LOOPING = "ContainerCrashLooping"
    SERVICE_APPEARED = "ServiceAppeared"
    SERVICE_LEFT = "ServiceLeft"
    ACTION_STARTED = "ActionStarted"
    ACTION_FINISHED = "ActionFinished"
    CONFIG_RELOADED = "ConfigReloaded"
    COMPOSE_STARTED = "ComposeStarted"
    COMPOSE_FINISHED = "ComposeFinished"
    SYSTEM_ALERT = "SystemAlert"
    SERVICE_DEGRADED = "ServiceDegraded"
    LATENCY_HIGH = "LatencyHigh"
    ERROR_RATE_HIGH = "ErrorRateHigh"
    ERROR_BUDGET_BURNING = "ErrorBudgetBurning"
    CERTIFICATE_EXPIRING = "CertificateExpiring"
    CRASH_LOOP = "CrashLoop"
    OUT_OF_MEMORY = "OutOfMemory"
    CPU_HIGH = "CpuHigh"
    MEMORY_HIGH = "MemoryHigh"
    JOB_FAILED = "JobFailed"
    MONITOR_DEGRADED = "MonitorDegraded"


UNWATCHING = {EventType.CONFIG_RELOADED, EventType.SERVICE_LEFT}


class Event(msgspec.Struct, frozen=True):
    """One fact. `id` is given by the bus; 0 before."""

    event_type: EventType
    message: str
    timestamp: datetime
    service_id: str | None = None
    data: dict[str, object] = {}
    id: int = 0

    @property
    def unwatched(self) -> list[str]:
        """The services that are no longer watched because of it."""
        removed = self.data.get("removed") if self.event_type in UNWATCHING else None
        return [each for each in removed if isinstance(each, str)] if isinstance(removed, list) else []

    @property
    def incident_id(self) -> str:
        """Name the incident that it begins, if it is a `ServiceDown`."""
        return f"inc-{self.id}"
