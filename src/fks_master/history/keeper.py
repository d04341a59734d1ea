"""The keeper: rolls results up into minutes, hours and days, and prunes what is past its time.

Each step is computed from the finer one below it, and writing it again changes nothing; so after a crash it simply goes
on from the last mark. Minutes are rolled up for all services at once and written five at a time, hours and days service
by service, all in small transactions, between which everything else gets its turn.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec
import structlog

from fks_master.clock import Clock
from fks_master.errors import StorageError, StoreFullError
from fks_master.history import sketch
from fks_master.history.recorder import SQL, Recorder
from fks_master.history.sums import Sum
from fks_master.storage import Database, Row
from fks_master.storage.database import to_ms

log = structlog.get_logger(__name__)

MINUTE, HOUR, DAY = 60, 3600, 86400
STEPS = (MINUTE, HOUR, DAY)
FINER = {HOUR: MINUTE, DAY: HOUR}
LATE_MS = 5000
LAST_MS = 2**53
FIRST_TURN_SECONDS = 20.0
RETRY_SECONDS = 5.0
TURN_SECONDS = 300.0
PRUNE_SECONDS = 3600.0
ROWS_AT_ONCE = 1000
SLICE_ROWS = 10_000
SLICES_GIVEN_UP = 5
SERVICES_AT_ONCE = 50

Rollup = tuple[int, int, int, int, int, int, int, int, bytes]
Item = TypeVar("Item")


class Retention(msgspec.Struct, frozen=True):
    """How long each grain is kept; days are for ever."""

    results_hours: int = 48
    minutes_days: int = 14
    hours_days: int = 400
    events_days: int = 400


class Keeper:
    """Runs beside everything else.

    `marks` says until when each step is rolled up, in milliseconds; `given_up_seconds` how much of the results was
    deleted before its time because the disk was full.
    """

    def __init__(self, database: Database, recorder: Recorder, clock: Clock, retention: Retention) -> None:
        self._database = database
        self._recorder = recorder
        self._clock = clock
        self._retention = retention
        self._next_prune = 0.0
        self._pruned_ms = 0
        self.given_up_seconds = 0
        self.marks: dict[int, int] = {}

    async def run(self) -> None:
        wait = FIRST_TURN_SECONDS
        while True:
            await self._clock.sleep(wait)
            try:
                await self.turn()
                wait = TURN_SECONDS
            except StoreFullError:
                wait = RETRY_SECONDS
                with contextlib.suppress(StorageError):
                    await self.make_room()
            except StorageError as error:
                log.debug("roll_up_waits", error=str(error))
                wait = RETRY_SECONDS

    async def turn(self) -> None:
        if not self._recorder.is_restored:
            await self._recorder.restore()
        try:
            await self.roll_up()
        finally:
            await self.prune_results(to_ms(self._clock.now()) - self._retention.results_hours * HOUR * 1000)
        if self._clock.monotonic() >= self._next_prune:
            self._next_prune = self._clock.monotonic() + PRUNE_SECONDS
            await self.prune_others()

    async def roll_up(self) -> None:
        """Bring every step up to date."""
        now_ms = min(to_ms(self._clock.now()), (self._recorder.waiting_since_ms or LAST_MS) + LATE_MS)
        await self._read_marks()
        earliest, self._recorder.earliest_ms = self._recorder.earliest_ms, None
        try:
            await self._roll_all(now_ms, earliest or now_ms)
        except BaseException:
            self._recorder.note_earliest(earliest)
            raise

    async def _roll_all(self, now_ms: int, earliest_ms: int) -> None:
        """Roll up from the marks on, and again what results that came late have changed."""
        oldest = (await self._database.fetch(SQL["oldest_result"]))[0]["at_ms"]
        for step in STEPS:
            since = min(self.marks.get(step, oldest or now_ms), earliest_ms)
            if step == MINUTE:
                since = max(since, _floor(self._pruned_ms - 1, MINUTE) + MINUTE * 1000)  # before, not all is left
            await self._roll(step, _floor(since, step), _floor(now_ms - LATE_MS, step))

    async def prune_others(self) -> None:
        """Delete roll-ups, events and transitions that are past their time, a little at a time."""
        now_ms, keep = to_ms(self._clock.now()), self._retention
        before = {MINUTE: now_ms - keep.minutes_days * DAY * 1000, HOUR: now_ms - keep.hours_days * DAY * 1000}
        for numbers in _some(list(self._recorder.numbers.values()), SERVICES_AT_ONCE):
            rows = [(step, number, at) for number in numbers for step, at in before.items()]
            await self._database.execute(SQL["prune_rollups"].many(rows))
        old = now_ms - keep.events_days * DAY * 1000
        await self._database.execute(SQL["prune_events"](before_ms=old), SQL["prune_transitions"](before_ms=old))

    async def prune_results(self, before_ms: int) -> None:
        while rows := await self._database.fetch(SQL["slice_end"], before_ms=before_ms, count=SLICE_ROWS):
            await self._delete_results(rows[0]["at_ms"])
        await self._delete_results(before_ms)

    async def make_room(self) -> int:
        """On a full disk, delete what is past its time, and the oldest results though they are not.

        Return how many seconds of results were given up before their time. What they told is in the roll-ups.
        """
        before = to_ms(self._clock.now()) - self._retention.results_hours * HOUR * 1000
        await self.prune_results(before)
        oldest = (await self._database.fetch(SQL["oldest_result"]))[0]["at_ms"]
        await self._read_marks()
        rolled = min(self.marks.get(MINUTE, 0), self._recorder.earliest_ms or LAST_MS)
        if oldest is None or oldest >= rolled:
            return 0
        end = oldest
        for _ in range(SLICES_GIVEN_UP):
            rows = await self._database.fetch(SQL["slice_end"], before_ms=rolled, count=SLICE_ROWS)
            end = rows[0]["at_ms"] if rows else rolled
            await self._delete_results(end)
        self.given_up_seconds += (end - oldest) // 1000
        return int(end - oldest) // 1000

    async def _delete_results(self, before_ms: int) -> None:
        await self._database.relieve(SQL["prune_results"](before_ms=before_ms))
        self._pruned_ms = before_ms

    async def _read_marks(self) -> None:
        if not self.marks:
            rows = await self._database.fetch(SQL["marks"])
            self.marks = {int(row["name"]): row["at_ms"] for row in rows}

    async def _roll(self, step: int, since_ms: int, until_ms: int) -> None:
        if since_ms >= until_ms and step in self.marks:
            return
        if step == MINUTE:
            await self._roll_minutes(since_ms, until_ms)
        else:
            await self._roll_rollups(step, since_ms, until_ms)
        await self._database.execute(SQL["store_mark"](name=str(step), at_ms=until_ms))
        self.marks[step] = until_ms

    async def _roll_minutes(self, since_ms: int, until_ms: int) -> None:
        """Read a minute of all services at a time; write some together, so that a page of the store is touched once."""
        waiting: list[Rollup] = []
        at = since_ms - MINUTE * 1000
        while (at := at + MINUTE * 1000) < until_ms:
            rows = await self._database.fetch(SQL["all_results"], since_ms=at, until_ms=at + MINUTE * 1000)
            if not rows:  # nobody looked, for years perhaps if the clock has stepped
                following = (await self._database.fetch(SQL["next_result"], since_ms=at))[0]["at_ms"]
                at = _floor(until_ms if following is None else following, MINUTE) - MINUTE * 1000
                continue
            waiting += (_packed(MINUTE, number, at, one) for number, one in _by_service(rows).items())
            if len(waiting) >= 5 * max(ROWS_AT_ONCE, len(self._recorder.numbers)):
                await self._store(waiting)
                waiting = []
        await self._store(waiting)

    async def _roll_rollups(self, step: int, since_ms: int, until_ms: int) -> None:
        for numbers in _some(sorted(self._recorder.numbers.values()), SERVICES_AT_ONCE):
            some = {"first": numbers[0], "last": numbers[-1], "since_ms": since_ms, "until_ms": until_ms}
            sums: dict[tuple[int, int], Sum] = {}
            for number, *row in await self._database.fetch(SQL["rollups_of_some"], step=FINER[step], **some):
                at = row[0] - row[0] % (step * 1000)
                sums.setdefault((number, at), Sum()).add_packed(row)
            await self._store([_packed(step, number, at, one) for (number, at), one in sums.items()])

    async def _store(self, rollups: list[Rollup]) -> None:
        """Write them, on a full disk from the reserve: what is rolled up can be deleted."""
        rollups.sort()
        for some in _some(rollups, ROWS_AT_ONCE):
            await self._database.relieve(SQL["store_rollup"].many(some))


def _by_service(rows: Sequence[Row]) -> Mapping[int, Sum]:
    sums: dict[int, Sum] = {}
    for _, number, verdict, latency_us in rows:
        one = sums.get(number)
        if one is None:
            one = sums[number] = Sum()
        one.add_result(verdict, latency_us)
    return sums


def _packed(step: int, number: int, at: int, one: Sum) -> Rollup:
    return (step, number, at, one.count, one.failures, one.sum_us, one.min_us, one.max_us, sketch.pack(one.counts))


def _some(items: Sequence[Item], count: int) -> Iterator[Sequence[Item]]:
    return (items[start : start + count] for start in range(0, len(items), count))


def _floor(milliseconds: int, step: int) -> int:
    return milliseconds - milliseconds % (step * 1000)
