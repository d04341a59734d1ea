"""For which spans of time a status is known.

A span reaches from the result that began it to the last one that confirmed it, or to the one that ended it. Time that
no span covers is unknown: the monitor was not running, or could not look. How long a span lasted is measured on the
clock that never steps; when the wall clock did step, the span is closed where it was and a new one begins.

Spans that have ended are written once. The one that goes on is in memory; on disk lies where it began, and now and then
how far it reached: after a crash the results written since then tell the rest.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from fks_master.storage.turns import Turns

STEP_MS = 2000
LAG_SECONDS = 300
LAG_MS = 1000 * LAG_SECONDS

Piece = tuple[int, int, int]
"""Began, ended, status code."""


class Span(msgspec.Struct):
    """`seen` is when the last result came, on the clock that never steps."""

    started_ms: int
    ended_ms: int
    status: int
    seen: float

    @property
    def piece(self) -> Piece:
        return self.started_ms, self.ended_ms, self.status


class Written(msgspec.Struct, frozen=True):
    """What goes to the disk at once: spans that have ended, and how far open ones reach."""

    ended: Sequence[tuple[str, Piece]] = ()
    open: Sequence[tuple[str, Piece]] = ()


class Spans:
    """The open span of each service, and those that have ended but are not on disk yet.

    Who sums up both what is here and what is on disk looks again if ended spans moved meanwhile: `version` says so.
    """

    def __init__(self) -> None:
        self._open: dict[str, Span] = {}
        self._fresh: dict[str, None] = {}
        self._resting = Turns[None](LAG_SECONDS)
        self._ended: list[tuple[str, Piece]] = []
        self._on_the_way = Written()
        self.version = 0

    def extend(self, service_id: str, at_ms: int, code: int, now: float, longest_ms: float) -> None:
        """Take note of a result; `longest_ms` is how long two may lie apart while we still look."""
        span = self._open.get(service_id)
        if span is not None:
            goes_on = _prolong(span, at_ms, now, longest_ms)
            if goes_on and span.status == code:
                self._resting.put(service_id, None)
                return
            if span.ended_ms > span.started_ms:
                self._ended.append((service_id, span.piece))
        self._open[service_id] = Span(at_ms, at_ms, code, now)
        self._fresh[service_id] = None

    def of(self, service_id: str) -> Iterator[Piece]:
        """Give what may not be on disk yet."""
        for name, piece in (*self._on_the_way.ended, *self._ended):
            if name == service_id:
                yield piece
        if service_id in self._open:
            yield self._open[service_id].piece

    @property
    def is_moving(self) -> bool:
        """Whether ended spans are on their way to the disk, so that they may be there as well as here."""
        return bool(self._on_the_way.ended)

    def all(self) -> list[tuple[str, Piece]]:
        current = [(name, span.piece) for name, span in self._open.items()]
        return [*self._on_the_way.ended, *self._ended, *current]

    def take(self, now: float, *, everything: bool) -> Written:
        """Hand over what is to be written now; open spans that only went on have their turn every five minutes."""
        for name in self._fresh:
            self._resting.drop(name)
        turn = [*self._fresh, *self._resting.take(now, everything=everything)]
        self._fresh = {}
        self._on_the_way = Written(self._ended, [(name, self._open[name].piece) for name in turn])
        self._ended = []
        self.version += self.is_moving
        return self._on_the_way

    def settle(self, *, is_written: bool) -> None:
        """Hear what became of it."""
        gone, self._on_the_way = self._on_the_way, Written()
        if is_written:
            return
        self._ended = [*gone.ended, *self._ended]
        self._fresh = dict.fromkeys(name for name, _ in gone.open) | self._fresh


def continued(
    open_spans: Mapping[int, Piece], results: Iterable[tuple[int, int, int]], longest_ms: Mapping[int, float]
) -> dict[int, Piece]:
    """Let spans that a process left open reach as far as its results, given as (time, service, status), tell."""
    found = dict(open_spans)
    for at_ms, number, code in results:
        if number not in found:
            continue
        started, ended, status = found[number]
        reaches = code == status and ended < at_ms <= ended + longest_ms.get(number, 0.0)
        if reaches and at_ms <= open_spans[number][1] + 2 * LAG_MS:
            found[number] = (started, at_ms, status)
    return found


def _prolong(span: Span, at_ms: int, now: float, longest_ms: float) -> bool:
    """Let the span reach until now, if we looked all the time; whether it can go on from there."""
    elapsed = round((now - span.seen) * 1000)
    if elapsed > longest_ms:
        return False
    has_stepped = abs(at_ms - span.ended_ms - elapsed) > STEP_MS
    span.ended_ms = span.ended_ms + elapsed if has_stepped else max(at_ms, span.started_ms)
    span.seen = now
    return not has_stepped
