"""What is known of the results of one stretch of time: pure arithmetic."""

from collections.abc import Iterable
from typing import Any

import msgspec

from fks_master.history import sketch
from fks_master.history.recorder import BAD
from fks_master.storage import Row


class Sum(msgspec.Struct):
    """Counts, and the latencies of successful checks in microseconds."""

    count: int = 0
    failures: int = 0
    sum_us: int = 0
    min_us: int = 0
    max_us: int = 0
    counts: sketch.Counts = {}

    def add_result(self, verdict: int, latency_us: int) -> None:
        self.count += 1
        if verdict == BAD:
            self.failures += 1
            return
        self._add(latency_us, latency_us, latency_us)
        index = sketch.bucket(latency_us)
        self.counts[index] = self.counts.get(index, 0) + 1

    def add(self, other: "Sum") -> None:
        if other.counts:
            self._add(other.sum_us, other.min_us, other.max_us)
        self.count += other.count
        self.failures += other.failures
        sketch.merge(self.counts, other.counts)

    def add_packed(self, row: Iterable[Any]) -> None:
        """Add a row of a roll-up: time, count, failures, sum, least, most, sketch."""
        _, count, failures, sum_us, min_us, max_us, packed = row
        if count > failures:
            self._add(sum_us, min_us, max_us)
            sketch.merge_packed(self.counts, packed)
        self.count += count
        self.failures += failures

    def _add(self, sum_us: int, min_us: int, max_us: int) -> None:
        if not self.counts or min_us < self.min_us:
            self.min_us = min_us
        self.max_us = max(self.max_us, max_us)
        self.sum_us += sum_us


def add_results(sums: dict[int, Sum], rows: Iterable[Row], step_ms: int) -> None:
    """Add rows of time, verdict and latency, each to its stretch."""
    for at_ms, verdict, latency_us in rows:
        at = at_ms - at_ms % step_ms
        one = sums.get(at)
        if one is None:
            one = sums[at] = Sum()
        one.add_result(verdict, latency_us)


def add_rollups(sums: dict[int, Sum], rows: Iterable[Row], step_ms: int) -> None:
    for row in rows:
        at_ms: int = row[0]
        at = at_ms - at_ms % step_ms
        one = sums.get(at)
        if one is None:
            one = sums[at] = Sum()
        one.add_packed(row)
