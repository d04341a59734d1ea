"""The keeper: rolls results up into minutes, hours and days, and prunes what is past its time.

Each step is computed from the finer one below it, and writing it again changes nothing; so after a crash it simply goes
on from the last mark. It works service by service in small transactions, between which everything else gets its turn.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import structlog

from fks_master.clock import Clock
from fks_master.errors import StorageError
from fks_master.history import sketch
from fks_master.history.recorder import BAD, SQL, Recorder
from fks_master.storage import Database, Row, Statement
from fks_master.storage.database import to_ms

log = structlog.get_logger(__name__)

MINUTE, HOUR, DAY = 60, 3600, 86400
STEPS = (MINUTE, HOUR, DAY)
FINER = {HOUR: MINUTE, DAY: HOUR}
LATE_MS = 5000
TURN_SECONDS = 20.0
PRUNE_SECONDS = 3600.0


class Retention(msgspec.Struct, frozen=True):
    """How long each grain is kept; days are for ever."""

    results_hours: int = 48
    minutes_days: int = 14
    hours_days: int = 400
    events_days: int = 400


class Sum(msgspec.Struct):
    """What is known of the results of one stretch of time. Latencies are those of successful checks."""

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
        sketch.merge(self.counts, {sketch.bucket(latency_us): 1})

    def add_rollup(self, row: Row) -> None:
        if row["count"] > row["failures"]:
            self._add(row["sum_us"], row["min_us"], row["max_us"])
        self.count += row["count"]
        self.failures += row["failures"]
        sketch.merge(self.counts, sketch.unpack(row["sketch"]))

    def _add(self, sum_us: int, min_us: int, max_us: int) -> None:
        self.min_us = min(self.min_us, min_us) if self.counts else min_us
        self.max_us = max(self.max_us, max_us)
        self.sum_us += sum_us


def add_results(sums: dict[int, Sum], rows: Iterable[Row], step_ms: int) -> None:
    for at_ms, verdict, latency_us in rows:
        sums.setdefault(at_ms - at_ms % step_ms, Sum()).add_result(verdict, latency_us)


def add_rollups(sums: dict[int, Sum], rows: Iterable[Row], step_ms: int) -> None:
    for row in rows:
        at_ms = row["at_ms"]
        sums.setdefault(at_ms - at_ms % step_ms, Sum()).add_rollup(row)


class Keeper:
    """Runs beside everything else. `marks` says until when each step is rolled up, in milliseconds."""

    def __init__(self, database: Database, recorder: Recorder, clock: Clock, retention: Retention) -> None:
        self._database = database
        self._recorder = recorder
        self._clock = clock
        self._retention = retention
        self._pruned = clock.monotonic()
        self.marks: dict[int, int] = {}

    async def run(self) -> None:
        while True:
            await self._clock.sleep(TURN_SECONDS)
            try:
                await self.turn()
            except StorageError as error:
                log.debug("roll_up_waits", error=str(error))

    async def turn(self) -> None:
        if not self._recorder.is_restored:
            await self._recorder.restore()
        await self.roll_up()
        if self._clock.monotonic() - self._pruned >= PRUNE_SECONDS:
            self._pruned = self._clock.monotonic()
            await self.prune()

    async def roll_up(self) -> None:
        """Bring every step up to date."""
        now_ms = to_ms(self._clock.now())
        if not self.marks:
            rows = await self._database.fetch(SQL["marks"])
            self.marks = {int(row["name"]): row["at_ms"] for row in rows}
        earliest, self._recorder.earliest_ms = self._recorder.earliest_ms, None
        for step in STEPS:
            since = min(self.marks.get(step, now_ms - self._retention.results_hours * HOUR * 1000), earliest or now_ms)
            await self._roll(step, _floor(since, step), _floor(now_ms - LATE_MS, step))

    async def prune(self) -> None:
        """Delete what is past its time, a service at a time."""
        now_ms, keep = to_ms(self._clock.now()), self._retention
        before = {MINUTE: now_ms - keep.minutes_days * DAY * 1000, HOUR: now_ms - keep.hours_days * DAY * 1000}
        for number in list(self._recorder.numbers.values()):
            rows = [{"step": step, "service": number, "before_ms": at} for step, at in before.items()]
            await self._database.execute(
                SQL["prune_results"](service=number, before_ms=now_ms - keep.results_hours * HOUR * 1000),
                SQL["prune_rollups"].many(rows),
            )
        old = now_ms - keep.events_days * DAY * 1000
        await self._database.execute(SQL["prune_events"](before_ms=old), SQL["prune_transitions"](before_ms=old))

    async def _roll(self, step: int, since_ms: int, until_ms: int) -> None:
        if since_ms >= until_ms:
            return
        for number in list(self._recorder.numbers.values()):
            sums = await self._sums(step, number, since_ms, until_ms)
            if sums:
                await self._database.execute(_stored(step, number, sums))
        await self._database.execute(SQL["store_mark"](name=str(step), at_ms=until_ms))
        self.marks[step] = until_ms

    async def _sums(self, step: int, number: int, since_ms: int, until_ms: int) -> Mapping[int, Sum]:
        sums: dict[int, Sum] = {}
        span = {"service": number, "since_ms": since_ms, "until_ms": until_ms}
        if step == MINUTE:
            add_results(sums, await self._database.fetch(SQL["results"], **span), MINUTE * 1000)
        else:
            add_rollups(sums, await self._database.fetch(SQL["rollups"], step=FINER[step], **span), step * 1000)
        return sums


def _stored(step: int, number: int, sums: Mapping[int, Sum]) -> Statement:
    rows: Sequence[tuple[object, ...]] = [
        (step, number, at, one.count, one.failures, one.sum_us, one.min_us, one.max_us, sketch.pack(one.counts))
        for at, one in sums.items()
    ]
    return SQL["store_rollup"].many(rows)


def _floor(milliseconds: int, step: int) -> int:
    return milliseconds - milliseconds % (step * 1000)
