"""What is promised of a service."""

from typing import Annotated

import msgspec
from msgspec import Meta


class Objective(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[services.slo]`: the share of checks that is to be good, over a period; slower than `latency_ms` is not good."""

    objective_percent: Annotated[float, Meta(ge=1, le=99.999)] = 99.9
    period_days: Annotated[float, Meta(ge=1, le=90)] = 30.0
    latency_ms: Annotated[float, Meta(ge=1, le=3_600_000)] | None = None

    @property
    def budget(self) -> float:
        """The share of checks that may fail."""
        return 1 - self.objective_percent / 100
