"""Service level objectives: how much of the error budget is left, and how fast it burns.

What counts is checks: a share of them may fail. The burn rate of a window is the share that failed by the share that
may fail; at 1 the budget lasts exactly its period. A pace fires while both of its windows burn too fast: the long one
tells that it matters, the short one that it still goes on. Checks that were not made count as good, so that neither a
start nor a pause alarms; and less than `FEWEST_FAILURES` are no trend.
Source: Google, The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
"""

from array import array
from collections.abc import Iterable

import msgspec

from fks_master.alerts.notice import Severity
from fks_master.model import Objective

FEWEST_FAILURES = 3
MINUTE, HOUR, DAY = 60, 3600, 86400
LADDER = ((MINUTE, 6 * HOUR), (15 * MINUTE, 3 * DAY))  # seconds a bucket, and how far back they reach
PERIOD_BUCKETS = 240


class Pace(msgspec.Struct, frozen=True):
    """How fast a budget must burn over both windows to be told."""

    name: str
    rate: float
    long_seconds: int
    short_seconds: int


FAST = (Pace("fast", 14.4, HOUR, 5 * MINUTE), Pace("fast", 6.0, 6 * HOUR, 30 * MINUTE))
SLOW = (Pace("slow", 3.0, DAY, 2 * HOUR), Pace("slow", 1.0, 3 * DAY, 6 * HOUR))
SEVERITIES = {"fast": Severity.CRITICAL, "slow": Severity.WARNING}
WINDOWS = sorted({one for pace in (*FAST, *SLOW) for one in (pace.long_seconds, pace.short_seconds)})


class Ring:
    """Counts in buckets of time; what falls off its end is forgotten."""

    def __init__(self, width: int, reach: int) -> None:
        self.width = width
        self._good = array("L", bytes(array("L").itemsize * (reach // width + 1)))
        self._bad = array("L", self._good)
        self._newest = 0

    def add(self, at: float, good: int, bad: int) -> None:
        size, bucket = len(self._good), int(at // self.width)
        if bucket <= self._newest - size:
            return
        for gone in range(max(self._newest + 1, bucket - size + 1), bucket + 1):
            self._good[gone % size] = self._bad[gone % size] = 0
        self._newest = max(self._newest, bucket)
        self._good[bucket % size] += good
        self._bad[bucket % size] += bad

    def sums(self, since: float, until: float) -> tuple[int, int]:
        """Count what lies in the buckets between the two moments."""
        size, last = len(self._good), min(int(until // self.width), self._newest)
        first = max(int(since // self.width) + 1, self._newest - size + 1)
        if first > last:
            return 0, 0
        begin, end = first % size, last % size + 1
        if begin < end:
            return sum(self._good[begin:end]), sum(self._bad[begin:end])
        good, bad = self._good, self._bad
        return sum(good[begin:]) + sum(good[:end]), sum(bad[begin:]) + sum(bad[:end])


class Burn(msgspec.Struct, frozen=True):
    """An account as it stood at one moment: by window, how fast it burnt, and how many checks failed."""

    rates: dict[int, float]
    failures: dict[int, int]
    remaining: float

    def pace(self, paces: Iterable[Pace]) -> Pace | None:
        """Give the first pace that both windows of it exceed."""
        for pace in paces:
            is_fast = min(self.rates[pace.long_seconds], self.rates[pace.short_seconds]) > pace.rate
            if is_fast and self.failures[pace.long_seconds] >= FEWEST_FAILURES:
                return pace
        return None


class Budget:
    """One service's account; `latest` is how it stood when it was last looked at.

    Times are seconds on a clock that never steps, near to wall time.
    """

    def __init__(self, objective: Objective, interval_seconds: float) -> None:
        self.objective = objective
        self.interval_seconds = interval_seconds
        self.latest = Burn(dict.fromkeys(WINDOWS, 0.0), dict.fromkeys(WINDOWS, 0), 1.0)
        self._period = objective.period_days * DAY
        self._rings = [Ring(width, reach) for width, reach in LADDER]
        self._rings.append(Ring(max(MINUTE, int(self._period / PERIOD_BUCKETS)), int(self._period)))

    def add(self, at: float, good: int, bad: int) -> None:
        for ring in self._rings:
            ring.add(at, good, bad)

    def refill(self, level: int, counts: Iterable[tuple[float, int, int]]) -> None:
        """Take up what an earlier process has counted: (moment, good, bad), oldest first."""
        for at, good, bad in counts:
            self._rings[level].add(at, good, bad)

    @property
    def reaches(self) -> list[float]:
        """Give how many seconds back each level reaches."""
        return [*(float(reach) for _, reach in LADDER), self._period]

    def look(self, now: float) -> Burn:
        """Give the account as it stands; below zero remaining, the objective is missed."""
        failed = {window: self._failed(window, now) for window in WINDOWS}
        rates = {window: bad / total / self.objective.budget for window, (bad, total) in failed.items()}
        bad, _ = self._failed(self._period, now)
        remaining = 1 - bad / (self._period / self.interval_seconds) / self.objective.budget
        self.latest = Burn(rates, {window: bad for window, (bad, _) in failed.items()}, remaining)
        return self.latest

    def _failed(self, window: float, now: float) -> tuple[int, float]:
        """Give how many checks failed, and how many there are to be in the window."""
        reaches = self.reaches
        fitting = (ring for ring, reach in zip(self._rings, reaches, strict=True) if window <= reach)
        good, bad = next(fitting, self._rings[-1]).sums(now - window, now)
        return bad, max(good + bad, window / self.interval_seconds, 1.0)
