"""The recorder: every result as one small row, and the spans of time for which a status is known."""

from collections.abc import Callable, Mapping, Sequence

from fks_master.clock import Clock
from fks_master.history.spans import LAG_MS, Piece, Spans, continued
from fks_master.model import Change, Outcome, Service, Status
from fks_master.storage import Database, Statement, load_queries
from fks_master.storage.database import to_ms

SQL = load_queries("fks_master.history", "sql/results.sql")

STATUSES = (Status.UNKNOWN, Status.HEALTHY, Status.DEGRADED, Status.UNHEALTHY)
CODES = {status: code for code, status in enumerate(STATUSES)}
BAD = CODES[Status.UNHEALTHY]
CAPACITY = 200_000
MOST_AT_ONCE = 20_000
SLACK_MS = 5000

Seen = tuple[str, int, int, int]


class Recorder:
    """Contributes to the journal. `dropped` counts the results that the store could not take in time."""

    def __init__(self, database: Database, services: Callable[[], Mapping[str, Service]], clock: Clock) -> None:
        self._database = database
        self._services = services
        self._clock = clock
        self._results: list[Seen] = []
        self._drained: list[Seen] = []
        self._stored: set[str] = set()
        self._told: set[str] = set()
        self._is_restored = False
        self.spans = Spans()
        self.numbers: dict[str, int] = {}
        self.earliest_ms: int | None = None
        self.dropped = 0

    async def restore(self) -> None:
        """Learn the numbers of the services and end the spans that an earlier process left open.

        Until this has been done, what is recorded waits in memory.
        """
        known = {row["id"]: row["number"] for row in await self._database.fetch(SQL["watched"])}
        await self._end_open_spans({number: self._longest_ms(name) for name, number in known.items()})
        self.numbers |= known
        self._stored = set(known)
        self._is_restored = True

    def begin_afresh(self) -> None:
        """Hear that the store is a new, empty one: every name has to be told again."""
        self._stored.clear()

    @property
    def is_restored(self) -> bool:
        return self._is_restored

    @property
    def waiting_since_ms(self) -> int | None:
        """When the oldest result came that is not on disk yet."""
        waiting = self._drained or self._results
        return waiting[0][1] if waiting else None

    def record(self, change: Change) -> Sequence[Statement]:
        result, state = change.result, change.state
        if result is None or state is None or result.outcome is Outcome.VOID:
            return ()
        name, at_ms, code = result.service_id, to_ms(result.at), CODES[state.status]
        if len(self._results) < CAPACITY:
            latency = round(result.seconds * 1_000_000) if result.outcome is Outcome.SUCCESS else 0
            self._results.append((name, at_ms, code, latency))
        else:
            self.dropped += 1
        self.spans.extend(name, at_ms, code, self._clock.monotonic(), self._longest_ms(name))
        return ()

    def unwritten(self) -> list[Seen]:
        """Give what is not on disk yet, or only just: name, time, status code, latency."""
        return [*self._drained, *self._results]

    def note_earliest(self, at_ms: int | None) -> None:
        """Remember from where on roll-ups have to look at results again."""
        if at_ms is not None:
            self.earliest_ms = at_ms if self.earliest_ms is None else min(at_ms, self.earliest_ms)

    def drain(self, *, everything: bool = False) -> Sequence[Statement]:
        if not self._is_restored:
            return ()
        count = len(self._results) if everything else MOST_AT_ONCE
        self._drained, self._results = self._results[:count], self._results[count:]
        written = self.spans.take(self._clock.monotonic(), everything=everything)
        numbers, statements = self.numbers, list[Statement]()
        self._told = {row[0] for row in self._drained}.union(name for name, _ in (*written.ended, *written.open))
        if fresh := sorted(self._told - self._stored):
            statements.append(self._numbered(fresh))
        if self._drained:
            rows = [(at_ms, numbers[name], code, latency) for name, at_ms, code, latency in self._drained]
            self.note_earliest(min(row[0] for row in rows))
            statements.append(SQL["add_result"].many(rows))
        for query, pieces in (("store_span", written.ended), ("store_open_span", written.open)):
            if pieces:
                statements.append(SQL[query].many([(numbers[name], *piece) for name, piece in pieces]))
        return statements

    def settle(self, *, is_written: bool) -> None:
        """Keep what fits if it was not written: spans always, for they are uptime; results as far as there is room."""
        self.spans.settle(is_written=is_written)
        drained, self._drained = self._drained, []
        if is_written:
            self._stored |= self._told
            return
        room = max(0, CAPACITY - len(self._results))
        self.dropped += max(0, len(drained) - room)
        self._results = [*drained[len(drained) - room :], *self._results] if room else self._results

    def _numbered(self, fresh: Sequence[str]) -> Statement:
        """Give numbers to services met for the first time; they are told until a commit has held."""
        for name in fresh:
            self.numbers.setdefault(name, max(self.numbers.values(), default=0) + 1)
        return SQL["add_watched"].many([(self.numbers[name], name) for name in fresh])

    async def _end_open_spans(self, longest_ms: Mapping[int, float]) -> None:
        rows = await self._database.fetch(SQL["open_spans"])
        left: dict[int, Piece] = {row["service"]: (row["started_ms"], row["ended_ms"], row["status"]) for row in rows}
        if not left:
            return
        newest = max(ended for _, ended, _ in left.values())
        bounds = {"since_ms": newest - 2 * LAG_MS, "until_ms": newest + 2 * LAG_MS}
        seen = await self._database.fetch(SQL["all_results"], **bounds)
        results = ((row["at_ms"], row["service"], row["verdict"]) for row in seen)
        ended = continued(left, results, longest_ms)
        spans = [(number, *piece) for number, piece in ended.items() if piece[1] > piece[0]]
        await self._database.execute(SQL["store_span"].many(spans), SQL["forget_open_spans"]())

    def _longest_ms(self, service_id: str) -> float:
        """How long two results may lie apart while we still look: twice the interval, and all tries."""
        service = self._services().get(service_id)
        if service is None:
            return 0.0
        return 2000 * service.interval_seconds + 1000 * service.tries * (service.timeout_seconds + 1) + SLACK_MS
