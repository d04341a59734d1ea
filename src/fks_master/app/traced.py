"""Traces, the log that names them, and the spans of checks, in which the end of each phase is an event."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

import msgspec

from fks_master.clock import Clock
from fks_master.config.environment import Settings
from fks_master.logs import configure
from fks_master.model import Result, Service
from fks_master.scheduler.loop import Probe, Tell
from fks_master.tracing import Kind, NoTracer, Span, Tracer

CLOSE_SECONDS = 1.5


def observed(settings: Settings, clock: Clock, stack: AsyncExitStack) -> Tracer:
    """Set up traces and the log, whose lines name the trace that they belong to."""
    tracer = _tracer(settings, clock)
    stack.push_async_callback(asyncio.to_thread, tracer.close, CLOSE_SECONDS)
    configure(settings.log_level, as_json=settings.json_log, ids=tracer.ids)
    return tracer


def _tracer(settings: Settings, clock: Clock) -> Tracer:
    if settings.otel_endpoint is None:
        return NoTracer()
    from fks_master.tracing.otlp import OtlpTracer  # noqa: PLC0415 - only for those who trace

    return OtlpTracer(
        settings.otel_endpoint, settings.service_name, settings.trace_sample_ratio, clock, settings.otel_headers
    )


def traced(probe: Probe, tracer: Tracer) -> Probe:
    """Give every check that a task asks its span."""
    if isinstance(tracer, NoTracer):
        return probe

    async def ask(service: Service) -> Result:
        with tracer.span("check", {"fks.service_id": service.id}, kind=Kind.CLIENT) as span:
            result = await probe(service)
            _describe(span, result)
            return _marked(result, tracer.ids())

    return ask


def traced_tell(tell: Tell, tracer: Tracer) -> Tell:
    """Give every check that calls back its span."""
    if isinstance(tracer, NoTracer):
        return tell

    def ask(service: Service, answered: Callable[[Result | Exception], None]) -> bool:
        with tracer.span("check", {"fks.service_id": service.id}, kind=Kind.CLIENT) as span:
            span.detach()
            ids = tracer.ids()

            def end(found: Result | Exception) -> None:
                if isinstance(found, Exception):
                    span.fail(type(found).__name__)
                else:
                    _describe(span, found)
                    found = _marked(found, ids)
                span.end()
                answered(found)

            return tell(service, end)

    return ask


def _marked(result: Result, ids: Mapping[str, str]) -> Result:
    """Let a failure name its trace: it may become part of an incident."""
    if result.reason is None or "trace_id" not in ids:
        return result
    return msgspec.structs.replace(result, trace_id=ids["trace_id"])


def _describe(span: Span, result: Result) -> None:
    span.note("fks.outcome", result.outcome.value)
    if result.status_code is not None:
        span.note("http.response.status_code", result.status_code)
    phases = result.phases.happened
    left = sum(seconds for _, seconds in phases)
    for phase, seconds in phases:
        left -= seconds
        span.mark(phase, left)
    if result.reason:
        span.fail(f"{result.reason}: {result.message}")
