"""Finds in which line of a file a mistake stands, though the parser of TOML does not tell: by parsing beginnings of it.

A beginning that ends between two statements is a document itself. The first one that holds what a path leads to ends
with the statement that is looked for; where it starts is where the beginning before it ends.
"""

import contextlib
import itertools
import json
import re
import tomllib
from collections.abc import Iterable, Iterator

from fks_master.probes.answer import MISSING, look_up

MOST_BYTES = 1 << 20
MOST_PLACES = 20
MOST_PARSED = 100  # beginnings, in search of one; also the longest statement of which the line is told

Path = tuple[str | int, ...]

_STEP = re.compile(r'\.?([A-Za-z0-9_-]+)|\.?("(?:[^"\\]|\\.)*")|\[([0-9]{1,9})\]')


def with_lines(text: str, mistakes: Iterable[str]) -> list[str]:
    """Put before each mistake the line in which it stands, where that can be said; those come first, in order."""
    told = list(mistakes)
    if len(text) > MOST_BYTES:
        return told
    beginnings = _Beginnings(text)
    placed = [(beginnings.line_of(path_of(one)), one) for one in told[:MOST_PLACES]]
    known = sorted(((line, one) for line, one in placed if line), key=lambda each: each[0])
    unknown = [one for line, one in placed if not line]
    return [*(f"line {line}: {one}" for line, one in known), *unknown, *told[MOST_PLACES:]]


def path_of(mistake: str) -> Path:
    """Read "services[0].http.matches[1]" off the beginning of a mistake."""
    steps: list[str | int] = []
    position = 0
    with contextlib.suppress(ValueError):  # a key that is so long that it was cut
        while match := _STEP.match(mistake, position):
            bare, quoted, index = match.groups()
            steps.append(int(index) if index else bare or str(json.loads(quoted)))
            position = match.end()
    return tuple(steps)


class _Beginnings:
    """A file's beginnings, each parsed once however many places are looked for."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._parsed: dict[int, dict[str, object] | None] = {}

    def line_of(self, path: Path) -> int | None:
        """Return the line in which the statement begins that made the longest part of the path that there is."""
        before, until = 0, len(self._lines)
        while path and look_up(self._of(until), path) is MISSING:
            path = path[:-1]
        while path and before + 1 < until:
            between = self._one_between(before, until)
            if between is None:
                break
            before, until = (between, until) if look_up(self._of(between), path) is MISSING else (before, between)
        return before + 1 if path and until - before < MOST_PARSED else None

    def _one_between(self, before: int, until: int) -> int | None:
        """Find a beginning between two others, as near to the middle as may be."""
        tried = itertools.islice(_from_the_middle(before, until), MOST_PARSED)
        return next((count for count in tried if self._of(count) is not None), None)

    def _of(self, count: int) -> dict[str, object] | None:
        if count not in self._parsed:
            self._parsed[count] = _parsed(self._lines[:count])
        return self._parsed[count]


def _from_the_middle(before: int, until: int) -> Iterator[int]:
    """Give every number between the two, from the middle up, then from the middle down."""
    middle = (before + until) // 2
    yield from range(middle, until)
    yield from range(middle - 1, before, -1)


def _parsed(lines: list[str]) -> dict[str, object] | None:
    try:
        return tomllib.loads("\n".join(lines) + "\n")
    except (ValueError, RecursionError):
        return None
