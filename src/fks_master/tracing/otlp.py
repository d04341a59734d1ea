"""Spans to an OTLP collector over HTTP.

They are collected in memory, bounded, and sent by a thread of their own: a collector that is slow or dead costs a
check nothing, what does not fit is dropped.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from threading import Thread
from typing import Any

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import Status, StatusCode, format_span_id, format_trace_id, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from fks_master import __version__
from fks_master.tracing.tracer import Span, Value, _outgoing

EXPORT_SECONDS = 5
QUEUE = 4096
_context = TraceContextTextMapPropagator()


class _OtlpSpan:
    def __init__(self, span: OtelSpan) -> None:
        self._span = span

    def note(self, name: str, value: Value) -> None:
        self._span.set_attribute(name, value)

    def mark(self, name: str, at: datetime) -> None:
        self._span.add_event(name, timestamp=int(at.timestamp() * 1e9))

    def fail(self, reason: str) -> None:
        self._span.set_status(Status(StatusCode.ERROR, reason))


class OtlpTracer:
    """Sends to `endpoint`, a base address or the whole one that ends in /v1/traces."""

    def __init__(self, endpoint: str, service_name: str, ratio: float) -> None:
        exporter = OTLPSpanExporter(traces_address(endpoint), timeout=EXPORT_SECONDS)
        resource = Resource({"service.name": service_name, "service.version": __version__})
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(ratio)), resource=resource, shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=QUEUE))
        self._tracer = self._provider.get_tracer("fks_master", __version__)

    @contextmanager
    def span(
        self, name: str, notes: Mapping[str, Value] | None = None, traceparent: str | None = None
    ) -> Iterator[Span]:
        parent: Context | None = _context.extract({"traceparent": traceparent}) if traceparent else None
        with self._tracer.start_as_current_span(name, parent, attributes=notes) as span:
            headers: dict[str, Any] = {}
            _context.inject(headers)
            token = _outgoing.set(headers.get("traceparent"))
            try:
                yield _OtlpSpan(span)
            finally:
                _outgoing.reset(token)

    def ids(self) -> dict[str, str]:
        found = get_current_span().get_span_context()
        if not found.is_valid:
            return {}
        return {"trace_id": format_trace_id(found.trace_id), "span_id": format_span_id(found.span_id)}

    def close(self, seconds: float) -> None:
        # A collector that hangs must not hold up our end: the thread is left behind.
        closing = Thread(target=self._provider.shutdown, name="tracing-close", daemon=True)
        closing.start()
        closing.join(seconds)


def traces_address(endpoint: str) -> str:
    base = endpoint.rstrip("/")
    return base if base.endswith("/v1/traces") else f"{base}/v1/traces"
