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
    ACTION_STARTED = "ActionStarted"
    ACTION_FINISHED = "ActionFinished"
    CONFIG_RELOADED = "ConfigReloaded"
    COMPOSE_STARTED = "ComposeStarted"
    COMPOSE_FINISHED = "ComposeFinished"
    SYSTEM_ALERT = "SystemAlert"


class Event(msgspec.Struct, frozen=True):
    """One fact. `id` is given by the bus; 0 before."""

    event_type: EventType
    message: str
    timestamp: datetime
    service_id: str | None = None
    data: dict[str, object] = {}
    id: int = 0
