"""Averages of a few figures over time, kept in memory: fine for the last while, coarser for longer."""

import math
from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Tier(NamedTuple):
    """One resolution: how many seconds an average spans, and how many are kept."""

    step: int
    most: int


class Ring:
    """One tier: the average that is being made, and those that are done. A figure not known is NaN."""

    __slots__ = ("_counts", "_slot", "_slots", "_sums", "_tier", "_values", "_width")

    def __init__(self, tier: Tier, width: int) -> None:
        self._tier = tier
        self._width = width
        self._slot = -1
        self._slots = array("q")
        self._values = array("f")
        self._begin()

    def _begin(self) -> None:
        self._sums = [0.0] * self._width
        self._counts = [0] * self._width

    def add(self, at: float, figures: Sequence[float]) -> tuple[float, Sequence[float]] | None:
        """Return when the average began that this one has completed, if it has, and the average."""
        slot = int(at // self._tier.step)
        done = None
        if slot != self._slot:
            done = self._close()
            self._slot = slot
        for index, figure in enumerate(figures):
            if figure == figure:  # noqa: PLR0124 - NaN is not itself
                self._sums[index] += figure
                self._counts[index] += 1
        return done

    def _close(self) -> tuple[float, Sequence[float]] | None:
        if self._slot < 0:
            return None
        done = self._averages()
        self._slots.append(self._slot)
        self._values.extend(done)
        if len(self._slots) > 1.25 * self._tier.most:
            surplus = len(self._slots) - self._tier.most
            del self._slots[:surplus]
            del self._values[: surplus * self._width]
        self._begin()
        return self._slot * self._tier.step, done

    def _averages(self) -> list[float]:
        return [total / count if count else math.nan for total, count in zip(self._sums, self._counts, strict=True)]

    @property
    def begins(self) -> float:
        """When the oldest began; infinity where there is none."""
        slots = self._slots or ([self._slot] if self._slot >= 0 else [])
        return slots[0] * self._tier.step if slots else math.inf

    def read(self, since: float, until: float) -> Iterator[tuple[float, Sequence[float]]]:
        """Give what began from `since` on and before `until`, with what is being made as the last."""
        step, width = self._tier.step, self._width
        for number, slot in enumerate(self._slots):
            if since - step < slot * step < until:
                yield slot * step, self._values[number * width : (number + 1) * width]
        if self._slot >= 0 and since - step < self._slot * step < until:
            yield self._slot * step, self._averages()


class Rings:
    """Several tiers over the same figures, the finest first; each feeds the next."""

    __slots__ = ("_rings", "_tiers")

    def __init__(self, tiers: Sequence[Tier], width: int) -> None:
        self._tiers = tiers
        self._rings = [Ring(tier, width) for tier in tiers]

    def add(self, at: float, figures: Sequence[float]) -> None:
        for ring in self._rings:
            done = ring.add(at, figures)
            if done is None:
                return
            at, figures = done

    def read(self, since: float, until: float, most: int) -> tuple[int, list[tuple[float, Sequence[float]]]]:
        """Give the step and the averages of the finest tier that reaches back far enough in at most `most`."""
        last = len(self._rings) - 1
        for number, (tier, ring) in enumerate(zip(self._tiers, self._rings, strict=True)):
            reaches = ring.begins <= since or ring.begins <= self._rings[last].begins
            if number == last or (reaches and (until - since) / tier.step <= most):
                return tier.step, list(ring.read(since, until))
        raise AssertionError("there is at least one tier")
