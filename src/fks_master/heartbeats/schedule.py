"""When a job is due and what its silence means: pure.

A moment at which we were not there ourselves says nothing about the job. When the time at which a signal was to come
overlaps such a gap, the signal may have been lost: the job has until the next time.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from fks_master.model import HeartbeatOptions

EARLY = timedelta(seconds=10)  # the job's clock may go ahead of ours


class Signal(StrEnum):
    """What a job can say."""

    START = "start"
    SUCCESS = "success"
    FAIL = "fail"


class Health(StrEnum):
    """How a job fares."""

    NEW = "new"
    WELL = "well"
    LATE = "late"
    FAILED = "failed"
    HANGS = "hangs"

    @property
    def is_trouble(self) -> bool:
        return self in {Health.LATE, Health.FAILED, Health.HANGS}


class Gap(msgspec.Struct, frozen=True):
    """A time in which we could not hear; or, when the wall clock stepped, what it leapt over or goes through again.

    A step changes what cron says of a moment, but not how long ago something was.
    """

    begins: datetime
    ends: datetime
    is_step: bool = False

    def concerns(self, options: HeartbeatOptions) -> bool:
        return not self.is_step or options.cron is not None


class Beat(msgspec.Struct, frozen=True):
    """What is remembered of one job.

    `since` is when we began to expect it; `started_at` is set while a run is under way; `ended_at` and what follows
    belong to the last run that ended.
    """

    service_id: str
    since: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    succeeded_at: datetime | None = None
    has_failed: bool = False
    exit_code: int | None = None
    seconds: float | None = None
    said: str | None = None


class Said(msgspec.Struct, frozen=True):
    """One signal."""

    signal: Signal
    exit_code: int | None = None
    seconds: float | None = None
    body: str | None = None


def take(beat: Beat, said: Said, now: datetime) -> Beat:
    """Return what is remembered after a signal. A success with an exit code other than 0 is none."""
    if said.signal is Signal.START:
        return msgspec.structs.replace(beat, started_at=now)
    has_failed = said.signal is Signal.FAIL or said.exit_code not in {None, 0}
    ran = (now - beat.started_at).total_seconds() if beat.started_at else None
    return msgspec.structs.replace(
        beat,
        started_at=None,
        ended_at=now,
        succeeded_at=beat.succeeded_at if has_failed else now,
        has_failed=has_failed,
        exit_code=said.exit_code,
        seconds=ran if said.seconds is None else said.seconds,
        said=said.body,
    )


def shift(beat: Beat, step: timedelta) -> Beat:
    """Return what is remembered after the wall clock was put forward or back."""
    moments = ("since", "started_at", "ended_at", "succeeded_at")
    moved = {name: at + step for name in moments if (at := getattr(beat, name)) is not None}
    return msgspec.structs.replace(beat, **moved)


def due(options: HeartbeatOptions, beat: Beat, gap: Gap | None = None) -> datetime:
    """Return when the next sign of an end is expected; grace not included."""
    grace = timedelta(seconds=options.grace_seconds)
    found = _next(options, beat.ended_at or beat.since, EARLY if beat.ended_at else timedelta(0))
    if gap is not None and gap.concerns(options) and found - grace <= gap.ends and found + grace >= gap.begins:
        return max(found, _next(options, gap.ends, timedelta(0)))
    return found


def judge(options: HeartbeatOptions, beat: Beat, now: datetime, gap: Gap | None = None) -> Health:
    if _hangs(options, beat, now):
        return Health.HANGS
    if now > due(options, beat, gap) + timedelta(seconds=options.grace_seconds):
        return Health.LATE
    if beat.has_failed:
        return Health.FAILED
    return Health.NEW if beat.ended_at is None else Health.WELL


def _hangs(options: HeartbeatOptions, beat: Beat, now: datetime) -> bool:
    if beat.started_at is None or options.longest_seconds is None:
        return False
    return now > beat.started_at + timedelta(seconds=options.longest_seconds)


def _next(options: HeartbeatOptions, after: datetime, early: timedelta) -> datetime:
    if options.period_seconds is not None:
        return after + timedelta(seconds=options.period_seconds)
    return next(occurrences(options.cron or "", options.zone, after + early))


def occurrences(cron: str, zone: str, after: datetime) -> Iterator[datetime]:
    """Give the moments of a cron expression behind `after`. Raises ValueError for an expression that has none."""
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 - only who uses it pays for it

    try:
        for moment in CronSim(cron, after.astimezone(ZoneInfo(zone))):
            yield moment.astimezone(UTC)
    except CronSimError as error:
        raise ValueError(str(error)) from error


def describe(beat: Beat, health: Health, due_at: datetime) -> str:
    """Say in one line what is wrong, or that nothing is."""
    if health is Health.LATE:
        last = f"the last one was at {beat.ended_at:%Y-%m-%d %H:%M:%S} UTC" if beat.ended_at else "there never was one"
        return f"no sign of life, due at {due_at:%Y-%m-%d %H:%M:%S} UTC; {last}"
    if health is Health.HANGS:
        return f"a run that began at {beat.started_at:%Y-%m-%d %H:%M:%S} UTC has not ended"
    if health is Health.FAILED:
        return f"the job failed with exit code {beat.exit_code}" if beat.exit_code is not None else "the job failed"
    return "the job is well"
