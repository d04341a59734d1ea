"""Spans to an OTLP collector over HTTP. Recording one costs a check a few microseconds; the rest is the exporter's."""

import random
import re
from collections.abc import Mapping
from contextvars import Token
from types import TracebackType
from typing import Self

from fks_master import __version__
from fks_master.clock import Clock
from fks_master.tracing import wire
from fks_master.tracing.exporter import Exporter
from fks_master.tracing.tracer import Kind, SpanContext, Value, current

_HEADER = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_bits = random.SystemRandom().getrandbits


class OtlpTracer:
    """Sends to `endpoint`, a base address or the whole one that ends in /v1/traces.

    A trace that begins here is sampled by its id, `ratio` of all; one that is continued, if its sender says so.
    """

    def __init__(
        self, endpoint: str, service_name: str, ratio: float, clock: Clock, headers: Mapping[str, str] | None = None
    ) -> None:
        self.exporter = Exporter(traces_address(endpoint), headers or {}, wire.head(service_name, __version__))
        self.clock = clock
        self.bits = random.Random(_bits(128)).getrandbits  # noqa: S311 - ids need to be unlike each other, not secret
        self._bound = round(ratio * (1 << 64))

    def span(
        self,
        name: str,
        notes: Mapping[str, Value | None] | None = None,
        traceparent: str | None = None,
        kind: Kind = Kind.INTERNAL,
    ) -> "OtlpSpan":
        parent = (traceparent and _parsed(traceparent)) or current.get()
        return OtlpSpan(self, parent, name, notes, kind)

    @property
    def trouble(self) -> str | None:
        return self.exporter.trouble

    def ids(self) -> dict[str, str]:
        found = current.get()
        if found is None:
            return {}
        return {"trace_id": f"{found.trace_id:032x}", "span_id": f"{found.span_id:016x}"}

    def close(self, seconds: float) -> None:
        self.exporter.close(seconds)

    def begun(self, parent: SpanContext | None) -> SpanContext:
        """Return the context of a new span."""
        span_id = self.bits(64) or 1
        if parent is not None:
            return SpanContext(parent.trace_id, span_id, parent.is_sampled)
        trace_id = self.bits(128) or 1
        return SpanContext(trace_id, span_id, trace_id & 0xFFFF_FFFF_FFFF_FFFF < self._bound)


class OtlpSpan:
    """A span under way: a context manager, and what happens inside of it."""

    __slots__ = (
        "_begin",
        "_context",
        "_is_detached",
        "_kind",
        "_marks",
        "_name",
        "_notes",
        "_parent",
        "_reason",
        "_token",
        "_tracer",
    )
    _token: Token[SpanContext | None]

    def __init__(
        self,
        tracer: OtlpTracer,
        parent: SpanContext | None,
        name: str,
        notes: Mapping[str, Value | None] | None,
        kind: Kind,
    ) -> None:
        self._tracer = tracer
        self._parent = parent
        self._context = tracer.begun(parent)
        self._name = name
        self._kind = kind
        self._notes: dict[str, Value | None] = dict(notes) if notes else {}
        self._marks: list[tuple[int, str]] = []
        self._reason: str | None = None
        self._begin = 0.0
        self._is_detached = False

    def __enter__(self) -> Self:
        self._token = current.set(self._context)
        self._begin = self._tracer.clock.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        current.reset(self._token)
        if error is not None and self._reason is None:
            self._reason = type(error).__name__
        if not self._is_detached:
            self.end()

    def detach(self) -> None:
        self._is_detached = True

    def end(self) -> None:
        if not self._context.is_sampled:
            return
        now, wall = self._now()
        parent_id = self._parent.span_id if self._parent else 0
        begin = wall - int((now - self._begin) * 1e9)
        self._tracer.exporter.add(
            wire.Finished(
                self._context.trace_id, self._context.span_id, parent_id, self._name, self._kind,
                begin, wall, self._notes, self._marks, self._reason,
            )
        )  # fmt: skip

    def rename(self, name: str) -> None:
        self._name = name

    def note(self, name: str, value: Value) -> None:
        self._notes[name] = value

    def mark(self, name: str, seconds_ago: float = 0.0) -> None:
        if self._context.is_sampled:
            self._marks.append((self._now()[1] - int(seconds_ago * 1e9), name))

    def fail(self, reason: str) -> None:
        self._reason = reason

    def _now(self) -> tuple[float, int]:
        clock = self._tracer.clock
        return clock.monotonic(), int(clock.now().timestamp() * 1e9)


def traces_address(endpoint: str) -> str:
    base = endpoint.rstrip("/")
    return base if base.endswith("/v1/traces") else f"{base}/v1/traces"


def _parsed(traceparent: str) -> SpanContext | None:
    """Read a `traceparent`; one that is broken, or of the forbidden version, begins a new trace."""
    found = _HEADER.fullmatch(traceparent.strip()) if len(traceparent) <= 200 else None
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not int(trace_id, 16) or not int(span_id, 16):
        return None
    return SpanContext(int(trace_id, 16), int(span_id, 16), bool(int(flags, 16) & 1))
