"""What the parts see of tracing. The real one is in `otlp`, imported only when an endpoint is configured."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from datetime import datetime
from typing import Protocol

Value = str | int | float | bool

_outgoing: ContextVar[str | None] = ContextVar("traceparent", default=None)


def outgoing() -> str | None:
    """Return the `traceparent` header to send with a request made now (W3C Trace Context); None: send none."""
    return _outgoing.get()


class Span(Protocol):
    """A piece of work under way."""

    def note(self, name: str, value: Value) -> None: ...

    def mark(self, name: str, at: datetime) -> None: ...

    def fail(self, reason: str) -> None: ...


class Tracer(Protocol):
    """Opens spans. One that is opened inside another becomes its child."""

    def span(
        self, name: str, notes: Mapping[str, Value] | None = None, traceparent: str | None = None
    ) -> AbstractContextManager[Span]:
        """Open a span; `traceparent` is the header of a request that it continues."""
        ...

    def ids(self) -> dict[str, str]:
        """Return `trace_id` and `span_id` of the present span for the log; empty outside of one."""
        ...

    def close(self, seconds: float) -> None:
        """Send what is left, within the deadline. It blocks: call it from a thread."""
        ...


class _NoSpan:
    def note(self, name: str, value: Value) -> None:
        pass

    def mark(self, name: str, at: datetime) -> None:
        pass

    def fail(self, reason: str) -> None:
        pass


_NOTHING: AbstractContextManager[Span] = nullcontext(_NoSpan())


class NoTracer:
    """Tracing is off: every span is the same nothing."""

    def span(
        self, name: str, notes: Mapping[str, Value] | None = None, traceparent: str | None = None
    ) -> AbstractContextManager[Span]:
        del name, notes, traceparent
        return _NOTHING

    def ids(self) -> dict[str, str]:
        return {}

    def close(self, seconds: float) -> None:
        pass
