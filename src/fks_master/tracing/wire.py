"""Spans as the bytes of OTLP (opentelemetry/proto/trace/v1/trace.proto), written by hand.

A field is its tag (number, and how long it is to be read), then its value; what holds others is its length, then they.
"""

import struct
from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec

from fks_master.tracing.tracer import Value

SCOPE = "fks_master"
ERROR = 2
_NANOS = struct.Struct("<Q").pack
_DOUBLE = struct.Struct("<d").pack
_64_BITS = (1 << 64) - 1


class Finished(msgspec.Struct, gc=False):
    """A span that has ended. Times are nanoseconds since 1970; `marks` are moments with names."""

    trace_id: int
    span_id: int
    parent_id: int
    name: str
    kind: int
    begin: int
    end: int
    notes: dict[str, Value | None]
    marks: list[tuple[int, str]]
    reason: str | None = None


def head(service_name: str, version: str) -> tuple[bytes, bytes]:
    """Return the encoded resource and scope, which are the same in every request."""
    resource = _attributes(1, {"service.name": service_name, "service.version": version})
    return _field(1, resource), _field(1, _text(1, SCOPE) + _text(2, version))


def request(origin: tuple[bytes, bytes], spans: Iterable[Finished]) -> bytes:
    """Return an ExportTraceServiceRequest; `origin` is the `head`."""
    resource, scope = origin
    return _field(1, resource + _field(2, scope + b"".join([_field(2, span(one)) for one in spans])))


def span(one: Finished) -> bytes:
    parts = [
        b"\x0a\x10" + one.trace_id.to_bytes(16, "big") + b"\x12\x08" + one.span_id.to_bytes(8, "big"),
        b"\x22\x08" + one.parent_id.to_bytes(8, "big") if one.parent_id else b"",
        _name(one.name) + bytes((0x30, one.kind)),
        b"\x39" + _NANOS(one.begin) + b"\x41" + _NANOS(one.end),
        _attributes(9, one.notes),
    ]
    for at, name in one.marks:
        event = b"\x09" + _NANOS(at) + _event_name(name)
        parts.append(b"\x5a" + _varint(len(event)) + event)
    if one.reason is not None:
        parts.append(_field(15, _text(2, one.reason) + bytes((3 << 3, ERROR))))
    return b"".join(parts)


def _attributes(number: int, notes: Mapping[str, Value | None]) -> bytes:
    tag = bytes((number << 3 | 2,))
    parts = []
    for name, value in notes.items():
        if value is None:
            continue
        found = _value(value)
        pair = _key(name) + b"\x12" + _varint(len(found)) + found
        parts.append(tag + _varint(len(pair)) + pair)
    return b"".join(parts)


def _value(value: Value) -> bytes:
    if isinstance(value, str):
        return _text(1, value)
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, int):
        return b"\x18" + _varint(value & _64_BITS)
    return b"\x21" + _DOUBLE(value)


@lru_cache(maxsize=1024)
def _key(name: str) -> bytes:
    return _text(1, name)


@lru_cache(maxsize=1024)
def _name(name: str) -> bytes:
    return _text(5, name)


@lru_cache(maxsize=256)
def _event_name(name: str) -> bytes:
    return _text(2, name)


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode("utf-8", "replace"))


def _field(number: int, content: bytes) -> bytes:
    return bytes((number << 3 | 2,)) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    parts = bytearray()
    while number >= 0x80:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)
