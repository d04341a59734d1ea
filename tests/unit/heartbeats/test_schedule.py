"""When a job is due, and what its silence means."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from fks_master.heartbeats.schedule import Beat, Gap, Health, Said, Signal, due, judge, occurrences, take
from fks_master.model import HeartbeatOptions

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
HOURLY = HeartbeatOptions(period_seconds=3600, grace_seconds=300)
NIGHTLY = HeartbeatOptions(cron="0 3 * * *", zone="Europe/Berlin", grace_seconds=600)
NEW = Beat("job", START)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def pinged(hours: float, signal: Signal = Signal.SUCCESS) -> Beat:
    return take(NEW, Said(signal), at(hours))


def test_a_new_job_has_until_its_first_time() -> None:
    assert judge(HOURLY, NEW, at(1.08)) is Health.NEW
    assert judge(HOURLY, NEW, at(1.09)) is Health.LATE


def test_a_job_that_reports_in_time_is_well_and_late_behind_its_grace() -> None:
    beat = pinged(0.5)
    assert judge(HOURLY, beat, at(1.58)) is Health.WELL
    assert judge(HOURLY, beat, at(1.59)) is Health.LATE
    assert due(HOURLY, beat) == at(1.5)


def test_a_failure_lasts_until_a_success() -> None:
    failed = take(NEW, Said(Signal.SUCCESS, exit_code=3, body="boom"), at(0.1))
    assert judge(HOURLY, failed, at(0.2)) is Health.FAILED
    assert (failed.exit_code, failed.said, failed.succeeded_at) == (3, "boom", None)
    well = take(failed, Said(Signal.SUCCESS, exit_code=0), at(0.3))
    assert (judge(HOURLY, well, at(0.4)), well.succeeded_at, well.said) == (Health.WELL, at(0.3), None)


def test_a_run_is_timed_from_its_start_and_its_start_is_no_sign_of_an_end() -> None:
    started = take(pinged(0), Said(Signal.START), at(0.9))
    assert judge(HOURLY, started, at(1.2)) is Health.LATE
    assert take(started, Said(Signal.SUCCESS), at(1)).seconds == pytest.approx(360)
    assert take(started, Said(Signal.SUCCESS, seconds=5.0), at(1)).seconds == 5


def test_a_run_without_end_hangs() -> None:
    options = HeartbeatOptions(period_seconds=86400, longest_seconds=600)
    started = take(pinged(0), Said(Signal.START), at(1))
    assert judge(options, started, at(1.16)) is Health.WELL
    assert judge(options, started, at(1.17)) is Health.HANGS
    assert judge(options, take(started, Said(Signal.SUCCESS), at(1.5)), at(1.6)) is Health.WELL


def test_cron_is_read_in_its_zone() -> None:
    assert due(NIGHTLY, NEW) == datetime(2026, 1, 2, 2, 0, tzinfo=UTC)
    assert judge(NIGHTLY, NEW, datetime(2026, 1, 2, 2, 10, tzinfo=UTC)) is Health.NEW
    assert judge(NIGHTLY, NEW, datetime(2026, 1, 2, 2, 10, 1, tzinfo=UTC)) is Health.LATE


def test_a_job_whose_clock_goes_ahead_is_not_expected_twice() -> None:
    early = take(NEW, Said(Signal.SUCCESS), datetime(2026, 1, 2, 1, 59, 58, tzinfo=UTC))
    assert due(NIGHTLY, early) == datetime(2026, 1, 3, 2, 0, tzinfo=UTC)


def test_a_clock_that_is_put_forward_skips_no_night() -> None:
    nights = occurrences("30 2 * * *", "Europe/Berlin", datetime(2026, 3, 28, 0, 0, tzinfo=UTC))
    assert [f"{night:%d %H:%M}" for night in islice(nights, 3)] == ["28 01:30", "29 01:00", "30 00:30"]


@pytest.mark.parametrize("text", ["", "* * * *", "60 * * * *", "@daily", "0 0 31 2 *", "a b c d e"])
def test_a_bad_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        next(occurrences(text, "UTC", START))


def test_what_we_could_not_hear_is_no_fault_of_the_job() -> None:
    beat = pinged(0)
    missed = Gap(at(0.95), at(1.5))
    assert judge(HOURLY, beat, at(2.58), missed) is Health.WELL
    assert judge(HOURLY, beat, at(2.59), missed) is Health.LATE
    night = Gap(datetime(2026, 1, 2, 1, 30, tzinfo=UTC), datetime(2026, 1, 2, 4, 0, tzinfo=UTC))
    assert due(NIGHTLY, pinged(0), night) == datetime(2026, 1, 3, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("gap", [(0.1, 0.5), (-5, -1), (1.5, 1.6)])
def test_a_gap_at_another_time_excuses_nothing(gap: tuple[float, float]) -> None:
    assert judge(HOURLY, pinged(0), at(1.7), Gap(at(gap[0]), at(gap[1]))) is Health.LATE
