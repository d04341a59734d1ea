"""How a service is."""

from enum import StrEnum


class Status(StrEnum):
    """What the last completed check says."""

    UNKNOWN = "Unknown"
    HEALTHY = "Healthy"
    DEGRADED = "Degraded"
    UNHEALTHY = "Unhealthy"
