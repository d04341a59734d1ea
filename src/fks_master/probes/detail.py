"""Reads what a service says about itself in the body of its health endpoint.

Understood are the FKS schema (`components`, `dependencies`), Spring Boot Actuator (`components`, `details`), the RFC
draft health+json (`checks`), and ASP.NET (`entries`, `results`, or one bare word). A body that cannot be read says
nothing: then the status code decides. Whatever stands in it is hostile until read, so every size is bounded.
"""

import functools
import math
import re
from collections.abc import Iterator

import msgspec

from fks_master.model import Component, Status
from fks_master.probes.answer import as_short_text

MOST_COMPONENTS = 64
LONGEST_NAME = 100
DEEPEST = 4
LONGEST_REMEMBERED = 512  # bytes of a body
MOST_REMEMBERED = 512
PARTS = ("components", "dependencies", "details", "checks", "entries", "results")
MESSAGES = ("message", "error", "output", "description", "exception", "reason")
LATENCIES = ("latency_ms", "response_time_ms", "latencyms", "responsetimems", "duration_ms", "latency", "duration")
TOP_WORDS = {
    **dict.fromkeys(("healthy", "up", "ok", "pass"), Status.HEALTHY),
    **dict.fromkeys(("degraded", "warn", "warning"), Status.DEGRADED),
    **dict.fromkeys(("unhealthy", "down", "fail", "out_of_service"), Status.UNHEALTHY),
}
WORDS = {
    **TOP_WORDS,
    **dict.fromkeys(("connected", "running", "passing", "available", "success", "true"), Status.HEALTHY),
    **dict.fromkeys(
        ("failed", "failing", "error", "critical", "disconnected", "unavailable", "false"), Status.UNHEALTHY
    ),
}
_DURATION = re.compile(r"(?:(\d+)\.)?(\d+):(\d+):(\d+(?:\.\d+)?)")
Table = dict[str, object]


class Report(msgspec.Struct, frozen=True):
    """What a service says of itself; no status where it says nothing that we understand."""

    status: Status | None = None
    message: str | None = None
    components: tuple[Component, ...] = ()


NOTHING_SAID = Report()


class _Part(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A part to the letter of the FKS schema."""

    status: str
    latency_ms: float | None = None
    message: str | None = None


class _Body(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A body to the letter of the FKS schema, with what usually stands beside it."""

    status: str
    components: dict[str, _Part] | None = None
    dependencies: dict[str, _Part] | None = None
    message: str | None = None
    service: str | None = None
    version: str | None = None
    timestamp: str | float | None = None
    uptime_seconds: float | None = None


_fks = msgspec.json.Decoder(_Body)


def read_report(body: bytes) -> Report:
    """Read what a body says; most say the same as the last time, many the same as others."""
    return _remembered_report(body) if len(body) <= LONGEST_REMEMBERED else _read_report(body)


def _read_report(body: bytes) -> Report:
    """Read the FKS schema the quick way, and everything else, or what only looks like it, in general."""
    try:
        return _fks_report(_fks.decode(body))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return read_any_report(body)


_remembered_report = functools.lru_cache(MOST_REMEMBERED)(_read_report)


def read_any_report(body: bytes) -> Report:
    text = body.strip()
    if not text.startswith(b"{"):
        return _bare_word(text)
    try:
        document = msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return NOTHING_SAID
    return _report(_lower(document))


def _bare_word(text: bytes) -> Report:
    """ASP.NET answers one word unless told otherwise; "ok" from anybody else means the same."""
    word = text.strip(b'"').decode("ascii", "replace").lower() if len(text) < 20 else ""
    status = TOP_WORDS.get(word)
    return Report(status, f"The service says {word}" if status not in {None, Status.HEALTHY} else None)


def _fks_report(body: _Body) -> Report:
    status = _status(body.status, TOP_WORDS)
    if status is None and body.components is None and body.dependencies is None:
        return NOTHING_SAID
    components = tuple(
        Component(
            name[:LONGEST_NAME],
            _status(part.status, WORDS) or Status.UNKNOWN,
            None if part.latency_ms is None else _milliseconds(part.latency_ms),
            _text(part.message),
        )
        for parts in (body.components, body.dependencies)
        if parts
        for name, part in list(parts.items())[:MOST_COMPONENTS]
    )
    return _conclude(status, body.status, _text(body.message), components[:MOST_COMPONENTS])


def _report(document: Table) -> Report:
    status = _status(document.get("status"), TOP_WORDS)
    components = tuple(_components(document, PARTS, DEEPEST))[:MOST_COMPONENTS]
    if status is None and not _says_anything(document):
        return NOTHING_SAID
    return _conclude(status, document.get("status"), _message(document), components)


def _conclude(status: Status | None, said: object, words: str | None, components: tuple[Component, ...]) -> Report:
    """Weigh what the service says of itself against what it says of its parts."""
    if status is Status.HEALTHY and all(one.status is Status.HEALTHY for one in components):
        return Report(status, None, components)
    sick = [one for one in components if one.status in {Status.DEGRADED, Status.UNHEALTHY}]
    if sick and status in {None, Status.HEALTHY}:
        status = Status.DEGRADED
    parts = "; ".join(f"{one.name}: {one.message or one.status.lower()}" for one in sick[:3])
    message = words or parts or (f"The service says {said}" if status else None)
    return Report(status, message if status is not Status.HEALTHY else None, components)


def _says_anything(document: Table) -> bool:
    """Whether a body without a status that we know is about health at all: one of the schemas that names parts so."""
    return any(isinstance(document.get(key), dict | list) for key in ("components", "dependencies", "entries"))


def _components(table: Table, keys: tuple[str, ...], depth: int, above: str = "") -> Iterator[Component]:
    """Find the parts in a table, and the parts of parts; only at the top are `details` parts and not mere facts."""
    for key in keys:
        for name, part in _named(table.get(key)):
            full = f"{above}{name}"[:LONGEST_NAME]
            status = _status(part.get("status", part.get("healthy")), WORDS)
            if status is not None or isinstance(part.get("status"), str):
                yield Component(full, status or Status.UNKNOWN, _latency(part), _message(part))
            if depth > 1:
                yield from _components(part, ("components",), depth - 1, f"{full}/")


def _named(parts: object) -> Iterator[tuple[str, Table]]:
    """Give each part as a table; what is no table is its status. The draft has a list under every name."""
    if isinstance(parts, list):
        for part in parts[:MOST_COMPONENTS]:
            table = _lower(part)
            if isinstance(table.get("name"), str):
                yield str(table["name"]), table
    elif isinstance(parts, dict):
        for name, part in list(parts.items())[:MOST_COMPONENTS]:
            for one in part[:MOST_COMPONENTS] if isinstance(part, list) else [part]:
                yield str(name), _lower(one) if isinstance(one, dict) else {"status": one}


def _lower(table: object) -> Table:
    return {str(key).lower(): value for key, value in table.items()} if isinstance(table, dict) else {}


def _status(word: object, words: dict[str, Status]) -> Status | None:
    if isinstance(word, str):
        return words.get(word) or (words.get(word.strip().lower()) if len(word) < 50 else None)
    if isinstance(word, bool):
        word = str(word)
    if isinstance(word, dict):  # Actuator may give {"code": "UP", "description": …}
        word = word.get("code")
    return words.get(word.strip().lower()) if isinstance(word, str) and len(word) < 50 else None


def _message(table: Table) -> str | None:
    details = table.get("details")
    for source in (table, _lower(details) if isinstance(details, dict) else {}):
        for key in MESSAGES:
            found = source.get(key)
            if isinstance(found, str) and (text := _text(found)):
                return text
    return None


def _text(found: str | None) -> str | None:
    return as_short_text(found.strip()) if found and found.strip() else None


def _milliseconds(found: float) -> float | None:
    return round(float(found), 3) if 0 <= found < 1e12 and math.isfinite(found) else None


def _latency(table: Table) -> float | None:
    """Read milliseconds; a duration such as "00:00:00.0123" is ASP.NET's."""
    for key in LATENCIES:
        found = table.get(key)
        if isinstance(found, int | float) and not isinstance(found, bool):
            return _milliseconds(found)
        if isinstance(found, str) and len(found) < 40 and (match := _DURATION.fullmatch(found)):
            days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
            return round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000, 3)
    return None
