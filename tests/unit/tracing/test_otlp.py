import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from tests.collector import Collector

from fks_master.tracing import NoTracer, outgoing
from fks_master.tracing.otlp import OtlpTracer, traces_address


@pytest.fixture
def collector() -> Iterator[Collector]:
    one = Collector()
    yield one
    one.close()


def test_a_span_arrives_with_its_child_notes_marks_and_failure(collector: Collector) -> None:
    tracer = OtlpTracer(collector.address, "mine", 1.0)
    with tracer.span("check", {"service.id": "fks_api"}) as check:
        check.mark("connected", datetime.now(UTC))
        check.fail("HTTP 503")
        with tracer.span("try"):
            assert tracer.ids()["trace_id"]
    tracer.close(5)
    spans = {span.name: span for span in collector.spans}
    assert spans["try"].parent_span_id == spans["check"].span_id
    assert spans["check"].status.message == "HTTP 503"
    assert spans["check"].events[0].name == "connected"
    assert spans["check"].attributes[0].value.string_value == "fks_api"
    resource = collector.requests[0].resource_spans[0].resource
    assert {"mine"} <= {attribute.value.string_value for attribute in resource.attributes}


def test_an_incoming_trace_is_continued_and_sent_on(collector: Collector) -> None:
    tracer = OtlpTracer(collector.address, "mine", 1.0)
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    with tracer.span("request", traceparent=f"00-{trace_id}-00f067aa0ba902b7-01"):
        header = outgoing()
    tracer.close(5)
    assert header is not None
    assert header.split("-")[1] == trace_id
    assert collector.spans[0].trace_id.hex() == trace_id
    assert collector.spans[0].parent_span_id.hex() == "00f067aa0ba902b7"
    assert outgoing() is None


@pytest.mark.parametrize("header", ["nonsense", "00-0-0-0", "é", "ff-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_a_broken_traceparent_starts_a_new_trace(collector: Collector, header: str) -> None:
    tracer = OtlpTracer(collector.address, "mine", 1.0)
    with tracer.span("request", traceparent=header):
        assert tracer.ids()
    tracer.close(5)
    assert collector.spans[0].parent_span_id == b""


def test_what_is_not_sampled_is_not_sent(collector: Collector) -> None:
    tracer = OtlpTracer(collector.address, "mine", 0.0)
    with tracer.span("check"):
        pass
    tracer.close(5)
    assert collector.spans == []


def test_a_collector_that_hangs_does_not_hold_up_the_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tracer = OtlpTracer(f"http://127.0.0.1:{silent.getsockname()[1]}", "mine", 1.0)
        with tracer.span("check"):
            pass
        before = time.monotonic()
        tracer.close(0.2)
        assert time.monotonic() - before < 3


def test_the_address_gets_its_path_once() -> None:
    assert traces_address("http://otel:4318") == "http://otel:4318/v1/traces"
    assert traces_address("http://otel:4318/v1/traces/") == "http://otel:4318/v1/traces"


def test_off_is_nothing_at_all() -> None:
    tracer = NoTracer()
    with tracer.span("check") as span:
        span.note("a", 1)
        span.mark("b", datetime.now(UTC))
        span.fail("c")
        assert outgoing() is None
    assert tracer.ids() == {}
    tracer.close(1)


def test_nothing_of_opentelemetry_is_imported_when_off() -> None:
    program = "import sys, fks_master.app; sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=30).returncode == 0
