"""What the parts see of tracing. The real one is in `otlp`, imported only when an endpoint is configured."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from enum import IntEnum
from typing import NamedTuple, Protocol

Value = str | int | float | bool


class Kind(IntEnum):
    """How a span stands to others, by OTLP's numbers."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3


class SpanContext(NamedTuple):
    """What others need to know of a span to continue its trace."""

    trace_id: int
    span_id: int
    is_sampled: bool


current: ContextVar[SpanContext | None] = ContextVar("span", default=None)


def outgoing() -> str | None:
    """Return the `traceparent` header to send with a request made now (W3C Trace Context); None: send none."""
    found = current.get()
    if found is None:
        return None
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.is_sampled:02x}"


class Span(Protocol):
    """A piece of work under way."""

    def rename(self, name: str) -> None: ...

    def note(self, name: str, value: Value) -> None: ...

    def mark(self, name: str, seconds_ago: float = 0.0) -> None:
        """Write down that something happened."""
        ...

    def fail(self, reason: str) -> None: ...

    def detach(self) -> None:
        """Let the span go on after its block, until `end`; one that is never ended is never sent."""
        ...

    def end(self) -> None: ...


class Tracer(Protocol):
    """Opens spans. One that is opened inside another becomes its child."""

    @property
    def trouble(self) -> str | None:
        """Say why spans cannot be sent at present."""
        ...

    def span(
        self,
        name: str,
        notes: Mapping[str, Value | None] | None = None,
        traceparent: str | None = None,
        kind: Kind = Kind.INTERNAL,
    ) -> AbstractContextManager[Span]:
        """Open a span. A note of None is left out; `traceparent` is the header of a request that it continues."""
        ...

    def ids(self) -> dict[str, str]:
        """Return `trace_id` and `span_id` of the present span for the log; empty outside of one."""
        ...

    def close(self, seconds: float) -> None:
        """Send what is left, within the deadline. It blocks: call it from a thread."""
        ...


class _NoSpan:
    def rename(self, name: str) -> None:
        pass

    def note(self, name: str, value: Value) -> None:
        pass

    def mark(self, name: str, seconds_ago: float = 0.0) -> None:
        pass

    def fail(self, reason: str) -> None:
        pass

    def detach(self) -> None:
        pass

    def end(self) -> None:
        pass


_NOTHING: AbstractContextManager[Span] = nullcontext(_NoSpan())


class NoTracer:
    """Tracing is off: every span is the same nothing."""

    trouble = None

    def span(
        self,
        name: str,
        notes: Mapping[str, Value | None] | None = None,
        traceparent: str | None = None,
        kind: Kind = Kind.INTERNAL,
    ) -> AbstractContextManager[Span]:
        del name, notes, traceparent, kind
        return _NOTHING

    def ids(self) -> dict[str, str]:
        return {}

    def close(self, seconds: float) -> None:
        pass
