"""Reading figures over a range: uptime, and latency as a series whose resolution fits."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from fks_master.history import sketch
from fks_master.history.keeper import DAY, FINER, HOUR, LAST_MS, MINUTE, STEPS, Keeper
from fks_master.history.planned import Planned
from fks_master.history.recorder import SQL, STATUSES, Recorder
from fks_master.history.spans import Piece
from fks_master.history.sums import Sum, add_results, add_rollups
from fks_master.history.uptime import Uptime, from_spans, from_totals
from fks_master.model import Status
from fks_master.storage import Database
from fks_master.storage.database import from_ms, to_ms

WIDTHS = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, DAY)
MOST_POINTS = 300
SHARES = (0.5, 0.95, 0.99)
LOOKS = 5


class Latency(msgspec.Struct, frozen=True):
    """Counts of checks, and the latency of those that succeeded, in milliseconds; null without any."""

    count: int
    failures: int
    average_ms: float | None = None
    min_ms: float | None = None
    max_ms: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None


class Point(msgspec.Struct, frozen=True):
    """One stretch of a series, from `at` on."""

    at: datetime
    latency: Latency


class Stretch(msgspec.Struct, frozen=True):
    """A time for which the status is known; what lies between stretches is not."""

    started_at: datetime
    ended_at: datetime
    status: Status


class Series(msgspec.Struct, frozen=True):
    """A chart of one service."""

    service_id: str
    since: datetime
    until: datetime
    step_seconds: int
    points: list[Point]
    statuses: list[Stretch]


class Recent(msgspec.Struct, frozen=True):
    """The last checks of every service, oldest first: [Unix milliseconds, status, milliseconds].

    The status is a number as in `fks_service_health_status`: 0 unknown, 1 healthy, 2 degraded, 3 unhealthy. A check
    that failed took 0 ms.
    """

    services: dict[str, list[tuple[int, int, float]]]


class Measures:
    """Reads what recorder and keeper have written. A service never seen has no results and no known time."""

    def __init__(self, database: Database, recorder: Recorder, keeper: Keeper, planned: Planned) -> None:
        self._planned = planned
        self._database = database
        self._recorder = recorder
        self._keeper = keeper

    async def uptime(self, service_id: str, since: datetime, until: datetime) -> Uptime:
        since_ms, until_ms = to_ms(since), to_ms(until)
        planned = (await self._planned.of(service_id, since_ms, until_ms)).get(service_id, ())
        return from_spans(await self._spans(service_id, since_ms, until_ms), since_ms, until_ms, planned)

    async def days(self, service_id: str, count: int, now: datetime) -> list[Uptime]:
        """Give the uptime of each of the last days in UTC, the oldest first and today last."""
        day_ms = DAY * 1000
        until_ms = to_ms(now)
        first = until_ms - until_ms % day_ms - (count - 1) * day_ms
        planned = (await self._planned.of(service_id, first, until_ms)).get(service_id, ())
        spans = await self._spans(service_id, first, until_ms)
        ends = [*range(first + day_ms, until_ms, day_ms), until_ms]
        return [from_spans(spans, end - 1 - (end - 1) % day_ms, end, planned) for end in ends]

    async def fleet(self, since: datetime, until: datetime) -> Mapping[str, Uptime]:
        """Give the uptime of every service there is something known of."""
        since_ms, until_ms = to_ms(since), to_ms(until)
        spans = self._recorder.spans
        for _ in range(LOOKS):  # a span that moved to the disk meanwhile would count twice: look again
            version, is_moving, current = spans.version, spans.is_moving, spans.all()
            rows = await self._database.fetch(SQL["fleet"], since_ms=since_ms, until_ms=until_ms)
            if spans.version == version and not is_moving:
                break
        names = {number: name for name, number in self._recorder.numbers.items()}
        totals: dict[str, dict[Status, int]] = {}
        for row in rows:
            if row["service"] in names:
                totals.setdefault(names[row["service"]], {})[STATUSES[row["status"]]] = int(row["ms"])
        for name, (started, ended, code) in current:
            one, status = totals.setdefault(name, {}), STATUSES[code]
            one[status] = one.get(status, 0) + max(0, min(ended, until_ms) - max(started, since_ms))
        found = {name: from_totals(one, until_ms - since_ms) for name, one in totals.items()}
        planned = await self._planned.of(None, since_ms, until_ms)
        if planned.keys() & found.keys():
            whole = await self._all_spans(since_ms, until_ms)
            for name in planned.keys() & found.keys():
                found[name] = from_spans(whole.get(name, ()), since_ms, until_ms, planned[name])
        return found

    async def _all_spans(self, since_ms: int, until_ms: int) -> Mapping[str, list[Piece]]:
        """Give the spans of every service in one question."""
        names = {number: name for name, number in self._recorder.numbers.items()}
        found: dict[str, dict[int, Piece]] = {}
        for name, piece in self._recorder.spans.all():
            found.setdefault(name, {})[piece[0]] = piece
        rows = await self._database.fetch(SQL["all_spans"], since_ms=since_ms, until_ms=until_ms)
        for number, started, ended, status in rows:
            if number in names:
                found.setdefault(names[number], {})[started] = (started, ended, status)
        return {name: list(pieces.values()) for name, pieces in found.items()}

    async def recent(self, count: int, since: datetime) -> Recent:
        """Give up to `count` checks of each service, none older than `since`; in one question for all."""
        names = {number: name for name, number in self._recorder.numbers.items()}
        waiting, since_ms = self._recorder.unwritten(), to_ms(since)
        found: dict[str, list[tuple[int, int, float]]] = {name: [] for name in names.values()}
        for at_ms, number, verdict, latency_us in await self._database.fetch(
            SQL["all_results"], since_ms=since_ms, until_ms=LAST_MS
        ):
            if number in names:
                found[names[number]].append((at_ms, verdict, round(latency_us / 1000, 2)))
        for name, at_ms, verdict, latency_us in waiting:
            checks = found.setdefault(name, [])
            if at_ms >= since_ms and (not checks or checks[-1][0] < at_ms):
                checks.append((at_ms, verdict, round(latency_us / 1000, 2)))
        return Recent({name: checks[-count:] for name, checks in found.items() if checks})

    async def series(self, service_id: str, since: datetime, until: datetime) -> Series:
        since_ms, until_ms = to_ms(since), to_ms(until)
        width = _width(since_ms, until_ms)
        since_ms -= since_ms % (width * 1000)
        sums = await self._sums(service_id, since_ms, until_ms, width)
        return Series(
            service_id,
            since,
            until,
            width,
            [Point(from_ms(at), _latency(one)) for at, one in sorted(sums.items())],
            [
                Stretch(from_ms(started), from_ms(ended), STATUSES[status])
                for started, ended, status in await self._spans(service_id, since_ms, until_ms)
            ],
        )

    async def latency(self, service_id: str, since: datetime, until: datetime) -> Latency:
        since_ms, until_ms = to_ms(since), to_ms(until)
        width = _width(since_ms, until_ms)
        since_ms -= since_ms % (width * 1000)
        total = Sum()
        for one in (await self._sums(service_id, since_ms, until_ms, width)).values():
            total.add(one)
        return _latency(total)

    async def _spans(self, service_id: str, since_ms: int, until_ms: int) -> list[Piece]:
        """Give what is on disk and what is still in memory, in order."""
        number = self._recorder.numbers.get(service_id, 0)
        current = {piece[0]: piece for piece in self._recorder.spans.of(service_id)}
        rows = await self._database.fetch(SQL["spans"], service=number, since_ms=since_ms, until_ms=until_ms)
        stored = {row["started_ms"]: (row["started_ms"], row["ended_ms"], row["status"]) for row in rows}
        touching = (piece for piece in (current | stored).values() if piece[0] < until_ms and piece[1] > since_ms)
        return sorted(touching)

    async def _sums(self, service_id: str, since_ms: int, until_ms: int, width: int) -> Mapping[int, Sum]:
        """Read the coarsest step that fits, then finer ones for what is not yet rolled up."""
        sums: dict[int, Sum] = {}
        number = self._recorder.numbers.get(service_id, 0)
        step: int | None = max(one for one in STEPS if width % one == 0)
        while step:
            rolled = min(until_ms, self._keeper.marks.get(step, since_ms))
            if rolled > since_ms:
                span = {"service": number, "since_ms": since_ms, "until_ms": rolled}
                add_rollups(sums, await self._database.fetch(SQL["rollups"], step=step, **span), width * 1000)
                since_ms = rolled
            step = FINER.get(step)
        span = {"service": number, "since_ms": since_ms, "until_ms": until_ms}
        add_results(sums, await self._database.fetch(SQL["results"], **span), width * 1000)
        return sums


def _width(since_ms: int, until_ms: int) -> int:
    fitting = (width for width in WIDTHS if (until_ms - since_ms) / 1000 / width <= MOST_POINTS)
    return next(fitting, WIDTHS[-1])


def _latency(one: Sum) -> Latency:
    good = one.count - one.failures
    if not good:
        return Latency(one.count, one.failures)
    bounded = (min(max(each, one.min_us), one.max_us) for each in sketch.quantiles(one.counts, SHARES))
    figures = (one.sum_us / good, one.min_us, one.max_us, *bounded)
    return Latency(one.count, one.failures, *(round(each / 1000, 3) for each in figures))
