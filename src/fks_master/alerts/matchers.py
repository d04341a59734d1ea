"""Conditions on labels: `severity!=info`, `service_id=~fks_(api|web).*`, `team!~ops|dev`, `group=shop*`.

A pattern of `=` and `!=` may hold `*` and `?`. The expressions of `=~` and `!~` fit whole values and are a subset of
regular expressions that takes no long time to match, whoever wrote it: no repeated groups, at most two of `*` and `+`
a branch.
"""

import re
import warnings
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache

import msgspec

LONGEST = 200
OPEN_ENDS = 2

_BEGINNING = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*)\s*(=~|!~|!=|=)")
_PIECE = re.compile(
    r"(?P<atom>\\[.\\+*?()\[\]{}|^$/-]|\\[dws]|\[\^?[^\[\]\\]+\]|[^\\\[\](){}*+?|^$]|\.)(?P<many>[*+])?\??|(?P<sign>[(|]|\(\?:|\)\??)"
)


class Matcher(msgspec.Struct, frozen=True):
    """One condition, as it was written and as it is asked."""

    label: str
    operator: str
    wanted: str

    def fits(self, labels: Mapping[str, str]) -> bool:
        return _OPERATORS[self.operator](labels.get(self.label, "")[:LONGEST], self.wanted)


@lru_cache(4096)
def parse(text: str) -> Matcher:
    """Raise ValueError with what was expected."""
    text = text.strip()
    match = _BEGINNING.match(text)
    if match is None:
        raise ValueError('a condition such as "severity!=info" or "service_id=~fks_(api|web)"')
    label, operator, wanted = match[1], match[2], text[match.end() :].lstrip()
    if len(wanted) > LONGEST:
        raise ValueError(f"a condition of at most {LONGEST} characters")
    if operator in {"=~", "!~"}:
        _expression(wanted)
    return Matcher(label, operator, wanted)


def fits_all(conditions: tuple[str, ...], labels: Mapping[str, str]) -> bool:
    return all(parse(one).fits(labels) for one in conditions)


@lru_cache(4096)
def _expression(text: str) -> "re.Pattern[str]":
    position, ends = 0, 0
    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece is None:
            raise ValueError(
                "a simple regular expression: no repeated groups, no {m,n}, no anchors (it fits whole values)"
            )
        ends = 0 if piece["sign"] == "|" and "(" not in text else ends + bool(piece["many"])
        if ends > OPEN_ENDS:
            raise ValueError(f"a regular expression with at most {OPEN_ENDS} of * and + (in each branch)")
        position = piece.end()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of what a later Python may read in odd sets
            return re.compile(text)
    except re.error as error:
        raise ValueError(f"a regular expression ({error})") from error


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "=": fnmatchcase,
    "!=": lambda value, wanted: not fnmatchcase(value, wanted),
    "=~": lambda value, wanted: _expression(wanted).fullmatch(value) is not None,
    "!~": lambda value, wanted: _expression(wanted).fullmatch(value) is None,
}
