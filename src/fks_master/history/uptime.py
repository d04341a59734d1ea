"""Uptime from spans: pure arithmetic in whole milliseconds."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice

import msgspec

from fks_master.history.recorder import STATUSES
from fks_master.model import Status

Piece = tuple[int, int]


class Uptime(msgspec.Struct, frozen=True):
    """`uptime_percent` is the share of the known time in which the service was not Unhealthy; null if none is known.

    Planned maintenance counts as neither; what is not known is no downtime.
    """

    uptime_percent: float | None
    healthy_seconds: float
    degraded_seconds: float
    unhealthy_seconds: float
    unknown_seconds: float
    maintenance_seconds: float = 0.0


def from_totals(totals: dict[Status, int], length_ms: int, maintenance_ms: int = 0) -> Uptime:
    """Make the figures of a range from the milliseconds spent in each status."""
    healthy, degraded, bad = (totals.get(one, 0) for one in (Status.HEALTHY, Status.DEGRADED, Status.UNHEALTHY))
    known = healthy + degraded + bad
    return Uptime(
        uptime_percent=round(100 * (healthy + degraded) / known, 4) if known else None,
        healthy_seconds=healthy / 1000,
        degraded_seconds=degraded / 1000,
        unhealthy_seconds=bad / 1000,
        unknown_seconds=max(0, length_ms - known - maintenance_ms) / 1000,
        maintenance_seconds=maintenance_ms / 1000,
    )


def from_spans(
    spans: Iterable[tuple[int, int, int]], since_ms: int, until_ms: int, maintenance: Sequence[Piece] = ()
) -> Uptime:
    """Sum up `(started, ended, status code)`, cut to the range, planned maintenance taken out."""
    totals: dict[Status, int] = {}
    planned, pieces = 0, sorted(maintenance)
    stops = [stop for _, stop in pieces]
    for started, ended, code in spans:
        start, end = max(started, since_ms), min(ended, until_ms)
        if start >= end:
            continue
        covered = _covered(start, end, pieces, bisect_right(stops, start)) if pieces else 0
        totals[STATUSES[code]] = totals.get(STATUSES[code], 0) + end - start - covered
        planned += covered
    return from_totals(totals, until_ms - since_ms, planned)


def _covered(start: int, end: int, pieces: Sequence[Piece], first: int) -> int:
    """Sum up what pieces, in order and apart from each other, cover of a span, from the first that may."""
    covered = 0
    for begin, stop in islice(pieces, first, None):
        if begin >= end:
            break
        covered += min(end, stop) - max(start, begin)
    return covered
