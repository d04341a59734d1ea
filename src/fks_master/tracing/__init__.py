"""Spans for checks, actions, notifications and requests; nothing at all while nobody collects them."""

from fks_master.tracing.tracer import Kind, NoTracer, Span, Tracer, outgoing

__all__ = ["Kind", "NoTracer", "Span", "Tracer", "outgoing"]
