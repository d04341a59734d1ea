"""Judges an answer over HTTP: its status, then its body. Bodies are hostile until read."""

import zlib
from functools import lru_cache

import msgspec

from fks_master.model import HttpOptions, Reason
from fks_master.model.grammar import Step, as_text, parse_condition, parse_path, parse_regex, parse_status

BODY_LIMIT = 64 * 1024
MISSING = object()


class Fault(msgspec.Struct, frozen=True):
    """Why an answer is not a good one, in a word and for people."""

    reason: Reason
    message: str


def find_fault(options: HttpOptions, status: int, body: bytes) -> Fault | None:
    if status not in _accepted(options.expected_status):
        return Fault(Reason.STATUS, f"HTTP {status}")
    if not (options.contains or options.excludes or options.matches or options.json):
        return None
    message = _find_in_text(options, decode(body)) or _find_in_json(options, body)
    return Fault(Reason.BODY, message) if message else None


@lru_cache(1024)
def _accepted(expected: tuple[str, ...]) -> frozenset[int]:
    return frozenset(status for text in expected for status in parse_status(text))


def decode(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def inflate(body: bytes) -> bytes:
    """Unpack a body that was compressed unasked, up to the limit and no further; as it is if it cannot be."""
    if body[:2] != b"\x1f\x8b":
        return body
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body, BODY_LIMIT)
    except zlib.error:
        return body


def _find_in_text(options: HttpOptions, text: str) -> str | None:
    for wanted in options.contains:
        if wanted not in text:
            return f'The body does not contain "{wanted}"'
    for unwanted in options.excludes:
        if unwanted in text:
            return f'The body contains "{unwanted}"'
    for regex in options.matches:
        if not parse_regex(regex).is_in(text):
            return f'The body does not match "{regex}"'
    return None


def _find_in_json(options: HttpOptions, body: bytes) -> str | None:
    if not options.json:
        return None
    try:
        document = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return "The body is not JSON"
    for path, text in options.json.items():
        found = look_up(document, parse_path(path))
        condition = parse_condition(text)
        if found is MISSING:
            return f'The body has nothing at "{path}"'
        if not condition.holds(found):
            return f'"{path}" is {as_short_text(found)}, expected {condition}'
    return None


def look_up(document: object, steps: tuple[Step, ...]) -> object:
    """Follow a path; MISSING where it leads nowhere."""
    found = document
    for step in steps:
        if isinstance(found, dict) and str(step) in found:
            found = found[str(step)]
        elif isinstance(found, list) and isinstance(step, int) and step < len(found):
            found = found[step]
        else:
            return MISSING
    return found


def as_short_text(value: object, longest: int = 200) -> str:
    """Write a value of JSON in one line that nobody has to scroll, and that steers no terminal."""
    text = " ".join(as_text(value).split())
    if not text.isprintable():
        text = "".join(each if each.isprintable() else "\ufffd" for each in text[: longest + 1])
    return text if len(text) <= longest else f"{text[:longest]}…"
