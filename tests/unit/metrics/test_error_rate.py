"""The rate of failures over a window that slides, whatever the clock does."""

from fks_master.metrics.registry import ServiceMetrics
from fks_master.model import Service

NOON = 1_800_000_000.0


def failing(*moments: float) -> ServiceMetrics:
    one = ServiceMetrics(Service("api", "Api", "http://api/"))
    for at in moments:
        one.fail(NOON + at)
    return one


def test_it_counts_failures_a_minute_over_five_minutes() -> None:
    assert failing().error_rate(NOON) == 0
    assert failing(0, 60, 120, 180, 240).error_rate(NOON + 240) == 1
    assert failing(0, 60, 120, 180, 240).error_rate(NOON + 361) == 0.6


def test_a_clock_that_was_set_back_keeps_no_failure_in_the_window() -> None:
    one = failing(0, 1, 2, -3600)
    assert one.error_rate(NOON - 3600) == 0.2
    assert one.error_rate(NOON - 3600 + 301) == 0
