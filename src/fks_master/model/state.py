"""What is remembered about a service."""

from datetime import datetime

import msgspec

from fks_master.model.result import Reason, Result
from fks_master.model.status import Status


class State(msgspec.Struct, frozen=True):
    """Everything remembered about one service.

    `since` is when the present status began; `up_since` when it last recovered (None unless up); `failing_since` the
    first failure of the present run of failures, `before` the status that it ended; `is_down` whether people were told.
    `is_confirmed` is false after a restart, until the first check has looked again.
    `flips` has one bit for each of the last checks, the newest lowest: whether it ended a short state.
    """

    service_id: str
    status: Status = Status.UNKNOWN
    since: datetime | None = None
    up_since: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    slow_checks: int = 0
    is_down: bool = False
    is_slow: bool = False
    last: Result | None = None
    is_confirmed: bool = True
    successes: int = 0
    flips: int = 0
    is_flapping: bool = False
    before: Status = Status.UNKNOWN

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is on its way to being told: the next check of the same kind changes only counters."""
        is_settled = not self.successes if self.is_down else not self.failures
        return is_settled and not self.flips and (self.is_slow or not self.slow_checks)


class Transition(msgspec.Struct, frozen=True):
    """A change of status."""

    service_id: str
    old: Status
    new: Status
    at: datetime
    reason: Reason | None = None
