"""The recorder: every result as one small row, and the spans of time for which a status is known.

A span reaches from the result that began it to the last one that confirmed it, or to the one that ended it. Time that
no span covers is unknown: the monitor was not running, or could not look. How long a span lasted is measured on the
clock that never steps; when the wall clock did step, the span is closed where it was and a new one begins.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from fks_master.clock import Clock
from fks_master.model import Change, Outcome, Result, Service, Status
from fks_master.storage import Database, Statement, load_queries
from fks_master.storage.database import to_ms

SQL = load_queries("fks_master.history", "sql/results.sql")

STATUSES = (Status.UNKNOWN, Status.HEALTHY, Status.DEGRADED, Status.UNHEALTHY)
CODES = {status: code for code, status in enumerate(STATUSES)}
BAD = CODES[Status.UNHEALTHY]
CAPACITY = 200_000
STEP_MS = 2000
SLACK_MS = 5000


class Span(msgspec.Struct):
    """`seen` is when the last result came, on the clock that never steps."""

    started_ms: int
    ended_ms: int
    status: int
    seen: float


class Recorder:
    """Contributes to the journal. `dropped` counts the results that the store could not take in time."""

    def __init__(self, database: Database, services: Callable[[], Mapping[str, Service]], clock: Clock) -> None:
        self._database = database
        self._services = services
        self._clock = clock
        self._results: list[tuple[str, int, int, int]] = []
        self._drained: list[tuple[str, int, int, int]] = []
        self._spans: dict[str, Span] = {}
        self._touched: dict[tuple[str, int], Span] = {}
        self._drained_spans: dict[tuple[str, int], Span] = {}
        self._is_restored = False
        self._stored: set[str] = set()
        self.numbers: dict[str, int] = {}
        self.earliest_ms: int | None = None
        self.dropped = 0

    async def restore(self) -> None:
        """Learn the numbers of the services; until then, what is recorded waits in memory."""
        rows = await self._database.fetch(SQL["watched"])
        self.numbers = {row["id"]: row["number"] for row in rows}
        self._stored = set(self.numbers)
        self._is_restored = True

    @property
    def is_restored(self) -> bool:
        return self._is_restored

    def record(self, change: Change) -> Sequence[Statement]:
        result, state = change.result, change.state
        if result is None or state is None or result.outcome is Outcome.VOID:
            return ()
        at_ms, code = to_ms(result.at), CODES[state.status]
        if len(self._results) < CAPACITY:
            latency = round(result.seconds * 1_000_000) if result.outcome is Outcome.SUCCESS else 0
            self._results.append((result.service_id, at_ms, code, latency))
        else:
            self.dropped += 1
        self._extend(result, at_ms, code)
        return ()

    def drain(self) -> Sequence[Statement]:
        if not self._is_restored or not (self._results or self._touched):
            return ()
        self._drained, self._results = self._results, []
        self._drained_spans, self._touched = self._touched, {}
        fresh = self._number_fresh({row[0] for row in self._drained} | {key[0] for key in self._drained_spans})
        numbers = self.numbers
        rows = [(numbers[name], at_ms, code, latency) for name, at_ms, code, latency in self._drained]
        if rows:
            self.earliest_ms = min(self.earliest_ms or rows[0][1], *(row[1] for row in rows))
        spans = [
            (numbers[name], span.started_ms, span.ended_ms, span.status)
            for (name, _), span in self._drained_spans.items()
        ]
        return [*fresh, SQL["add_result"].many(rows), SQL["store_span"].many(spans)]

    def give_back(self) -> None:
        """Keep what fits: spans always, for they are uptime; results as far as there is room."""
        room = max(0, CAPACITY - len(self._results))
        self.dropped += max(0, len(self._drained) - room)
        self._results = [*self._drained[len(self._drained) - room :], *self._results] if room else self._results
        self._touched = self._drained_spans | self._touched
        self._stored -= {row[0] for row in self._drained}
        self._drained, self._drained_spans = [], {}

    def _number_fresh(self, names: set[str]) -> list[Statement]:
        """Give numbers to services met for the first time; they are told until a commit has held."""
        fresh = sorted(names - self._stored)
        for name in fresh:
            self.numbers.setdefault(name, max(self.numbers.values(), default=0) + 1)
        self._stored |= names
        return [SQL["add_watched"].many([(self.numbers[name], name) for name in fresh])] if fresh else []

    def _extend(self, result: Result, at_ms: int, code: int) -> None:
        now = self._clock.monotonic()
        span = self._spans.get(result.service_id)
        if span is not None and self._prolong(result, span, at_ms, now) and span.status == code:
            return
        fresh = self._spans[result.service_id] = Span(at_ms, at_ms, code, now)
        self._touched[result.service_id, at_ms] = fresh

    def _prolong(self, result: Result, span: Span, at_ms: int, now: float) -> bool:
        """Let the span reach until now, if we looked all the time; whether it can go on from there."""
        elapsed = round((now - span.seen) * 1000)
        if elapsed > self._longest_ms(result.service_id):
            return False
        has_stepped = abs(at_ms - span.ended_ms - elapsed) > STEP_MS
        span.ended_ms = span.ended_ms + elapsed if has_stepped else max(at_ms, span.started_ms)
        span.seen = now
        self._touched[result.service_id, span.started_ms] = span
        return not has_stepped

    def _longest_ms(self, service_id: str) -> float:
        """How long two results may lie apart while we still look: twice the interval, and all tries."""
        service = self._services().get(service_id)
        if service is None:
            return 0.0
        return 2000 * service.interval_seconds + 1000 * service.tries * (service.timeout_seconds + 1) + SLACK_MS
