"""The little languages of a check's options: status ranges, paths into JSON, conditions on a value.

Each `parse_…` returns what was meant or raises ValueError with what was expected; the configuration asks them too, so
that a mistake is told at the start and never met by a check.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from fks_master.model.regex import Regex

Step = str | int

_STATUS = re.compile(r"([1-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?")
_STEP = re.compile(r"""\.?([^.\[\]"']+)|\[(\d{1,6})\]|\["([^"]+)"\]|\['([^']+)'\]""")
_CONDITION = re.compile(r"(==|!=|<=|>=|<|>|~)\s*(.*)", re.DOTALL)


@lru_cache(4096)
def parse_status(text: str) -> range:
    """Read "204", "200-299" or "2xx"."""
    match = _STATUS.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError('a status or a range of them, such as "204", "200-299" or "2xx"')
    family, low, high = match.groups()
    found = range(int(family) * 100, int(family) * 100 + 100) if family else range(int(low), int(high or low) + 1)
    if not found:
        raise ValueError("a range that begins with the lower status")
    return found


@lru_cache(4096)
def parse_path(text: str) -> tuple[Step, ...]:
    """Read "data.items[0].name" or "$['odd.key']" as the steps to take from the top."""
    rest = text.removeprefix("$")
    steps: list[Step] = []
    position = 0
    while position < len(rest):
        match = _STEP.match(rest, position)
        if match is None:
            raise ValueError('a path into JSON, such as "checks[0].status"')
        key, index, *quoted = match.groups()
        steps.append(int(index) if index else key or quoted[0] or quoted[1])
        position = match.end()
    return tuple(steps)


@lru_cache(4096)
def parse_regex(text: str) -> Regex:
    return Regex(text)


class Condition(msgspec.Struct, frozen=True):
    """What a value found in JSON must be."""

    operator: str
    wanted: str

    def holds(self, found: Any) -> bool:  # noqa: ANN401 - whatever JSON can hold
        return self.operator == "exists" or _OPERATORS[self.operator](found, self.wanted)

    def __str__(self) -> str:
        return f"{self.operator} {self.wanted}".strip()


@lru_cache(4096)
def parse_condition(text: str) -> Condition:
    """Read "ok" (equal), "!= down", "< 100", ">= 2", "~ ^v[0-9]" (a regular expression) or "exists"."""
    if text == "exists":
        return Condition("exists", "")
    match = _CONDITION.fullmatch(text.strip())
    condition = Condition(match[1], match[2]) if match else Condition("==", text)
    if condition.operator == "~":
        parse_regex(condition.wanted)
    elif condition.operator in "<= >=" and _number(condition.wanted) is None:
        raise ValueError(f'a number after "{condition.operator}"')
    return condition


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


def as_text(value: object) -> str:
    """Write a value of JSON as people would in the configuration."""
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def _equal(found: object, wanted: str) -> bool:
    if isinstance(found, int | float) and not isinstance(found, bool):
        return _number(wanted) == found
    return as_text(found) == wanted


def _compares(holds: Callable[[float, float], bool]) -> Callable[[object, str], bool]:
    def compare(found: object, wanted: str) -> bool:
        left, right = _number(found), _number(wanted)
        return left is not None and right is not None and holds(left, right)

    return compare


_OPERATORS: dict[str, Callable[[object, str], bool]] = {
    "==": _equal,
    "!=": lambda found, wanted: not _equal(found, wanted),
    "<": _compares(lambda left, right: left < right),
    "<=": _compares(lambda left, right: left <= right),
    ">": _compares(lambda left, right: left > right),
    ">=": _compares(lambda left, right: left >= right),
    "~": lambda found, wanted: parse_regex(wanted).is_in(as_text(found)),
}


def expected_by(parse: Callable[[str], object]) -> Callable[[str], str | None]:
    """Make a checker of strings in the configuration from a parser: it says what was expected, or None."""

    def check(text: str) -> str | None:
        try:
            parse(text)
        except ValueError as error:
            return str(error)
        return None

    return check


def header_name(text: str) -> str | None:
    return None if re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", text) else "the name of a header"


def header_value(text: str) -> str | None:
    return None if re.fullmatch(r"[\t\x20-\x7e\x80-\xff]*", text) else "a text in one line"


def proxy(text: str) -> str | None:
    is_good = re.fullmatch(r"(https?|socks5h?)://[^\s/]+/?", text)
    return None if is_good else 'an address such as "http://proxy:3128" or "socks5h://proxy:1080"'


def path(text: str) -> str | None:
    return None if text.strip() and "\0" not in text else "the path of a file"


def label(text: str) -> str | None:
    is_good = re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._-]*", text)
    return None if is_good else "letters, digits, '.', '_' and '-', beginning with a letter or digit"
