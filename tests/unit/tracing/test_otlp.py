import socket
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs
from tests.collector import Collector
from tests.process import wait_for

from fks_master.clock import SystemClock
from fks_master.tracing import Kind, NoTracer, exporter, outgoing
from fks_master.tracing.otlp import OtlpTracer, traces_address

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
CLOSE_SECONDS = 10


@pytest.fixture
def collector() -> Iterator[Collector]:
    one = Collector()
    yield one
    one.close()


def tracer_to(address: str, ratio: float = 1.0, **headers: str) -> OtlpTracer:
    return OtlpTracer(address, "mine", ratio, SystemClock(), headers)


def test_a_span_arrives_with_its_child_notes_marks_and_failure(collector: Collector) -> None:
    tracer = tracer_to(collector.address)
    begun = time.time_ns()
    with tracer.span("check", {"service.id": "fks_api"}, kind=Kind.CLIENT) as check:
        check.mark("connected", seconds_ago=2)
        check.fail("HTTP 503")
        with tracer.span("try") as inner:
            inner.rename("second try")
            assert tracer.ids()["trace_id"]
    tracer.close(CLOSE_SECONDS)
    spans = {span.name: span for span in collector.spans}
    check_span, child = spans["check"], spans["second try"]
    assert child.parent_span_id == check_span.span_id
    assert child.trace_id == check_span.trace_id
    assert check_span.kind == Kind.CLIENT
    assert check_span.status.message == "HTTP 503"
    assert check_span.events[0].name == "connected"
    assert check_span.events[0].time_unix_nano < begun
    assert check_span.start_time_unix_nano <= child.start_time_unix_nano <= child.end_time_unix_nano
    assert abs(check_span.start_time_unix_nano - begun) < 1e9
    assert check_span.attributes[0].value.string_value == "fks_api"
    resource = collector.requests[0].resource_spans[0].resource
    assert {"mine"} <= {attribute.value.string_value for attribute in resource.attributes}


def test_an_exception_fails_the_span_and_goes_on(collector: Collector) -> None:
    tracer = tracer_to(collector.address)
    with pytest.raises(KeyError), tracer.span("check"):
        raise KeyError
    tracer.close(CLOSE_SECONDS)
    assert collector.spans[0].status.message == "KeyError"


@pytest.mark.parametrize("flags", ["01", "00"])
def test_an_incoming_trace_is_continued_and_sent_on_as_its_sender_wants_it(collector: Collector, flags: str) -> None:
    tracer = tracer_to(collector.address, ratio=0.0 if flags == "01" else 1.0)
    with tracer.span("request", traceparent=f"00-{TRACE}-{PARENT}-{flags}"):
        header = outgoing()
    tracer.close(CLOSE_SECONDS)
    assert header is not None
    assert header.split("-")[1] == TRACE
    assert header.split("-")[3] == flags
    assert outgoing() is None
    if flags == "01":
        (span,) = collector.spans
        assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    else:
        assert collector.spans == []


def test_a_later_version_of_the_header_is_understood(collector: Collector) -> None:
    tracer = tracer_to(collector.address)
    with tracer.span("request", traceparent=f"cc-{TRACE}-{PARENT}-01-more"):
        assert tracer.ids()["trace_id"] == TRACE
    tracer.close(CLOSE_SECONDS)


@pytest.mark.parametrize(
    "header",
    [
        "nonsense", "00-0-0-0", "é",
        f"ff-{TRACE}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{PARENT}-01-more", f"00-{TRACE.upper()}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01" + "-x" * 10_000,
    ],
)  # fmt: skip
def test_a_broken_traceparent_starts_a_new_trace(collector: Collector, header: str) -> None:
    tracer = tracer_to(collector.address)
    with tracer.span("request", traceparent=header):
        assert tracer.ids()["trace_id"] != TRACE
    tracer.close(CLOSE_SECONDS)
    assert collector.spans[0].parent_span_id == b""


def test_as_many_traces_are_sampled_as_was_asked_for(collector: Collector) -> None:
    for ratio, least, most in ((0.0, 0, 0), (0.25, 150, 350), (1.0, 1000, 1000)):
        tracer = tracer_to(collector.address, ratio)
        before = len(collector.spans)
        for _ in range(1000):
            with tracer.span("check"):
                pass
        tracer.close(CLOSE_SECONDS)
        assert least <= len(collector.spans) - before <= most


def test_headers_go_along(collector: Collector) -> None:
    tracer = tracer_to(collector.address, authorization="Bearer abc")
    with tracer.span("check"):
        pass
    tracer.close(CLOSE_SECONDS)
    assert collector.headers[0]["Authorization"] == "Bearer abc"


def test_a_login_in_the_address_becomes_a_header(collector: Collector) -> None:
    tracer = tracer_to(collector.address.replace("://", "://me:p%40ss@"))
    with tracer.span("check"):
        pass
    tracer.close(CLOSE_SECONDS)
    assert b64decode(collector.headers[0]["Authorization"].removeprefix("Basic ")) == b"me:p@ss"


def test_what_is_said_of_an_address_never_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter, "GATHER_SECONDS", 0.01)
    with capture_logs() as logs:
        tracer = tracer_to("http://127.0.0.1:canary")
        with tracer.span("check"):
            pass
        wait_for(lambda: logs)
        tracer.close(CLOSE_SECONDS)
    assert "canary" not in str(logs)


def test_spans_are_sent_while_we_run(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter, "GATHER_SECONDS", 0.01)
    tracer = tracer_to(collector.address)
    with tracer.span("check"):
        pass
    wait_for(lambda: collector.spans)
    tracer.close(CLOSE_SECONDS)


def test_a_busy_collector_gets_them_again_and_the_log_says_so_once(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter, "GATHER_SECONDS", 0.01)
    monkeypatch.setattr(exporter, "PAUSE_SECONDS", 0.01)
    collector.answers += [503, 429]
    with capture_logs() as logs:
        tracer = tracer_to(collector.address)
        with tracer.span("check"):
            pass
        wait_for(lambda: len(collector.requests) == 3)
        tracer.close(CLOSE_SECONDS)
    assert [line["event"] for line in logs] == ["traces_not_sent", "traces_sent_again"]
    assert tracer.exporter.dropped == 0


def test_what_the_collector_refuses_is_given_up(collector: Collector) -> None:
    collector.answers += [400]
    tracer = tracer_to(collector.address)
    with capture_logs(), tracer.span("check"):
        pass
    tracer.close(CLOSE_SECONDS)
    assert (len(collector.requests), tracer.exporter.dropped) == (1, 1)


def test_a_span_that_cannot_be_written_ends_neither_the_thread_nor_the_next_ones(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter, "GATHER_SECONDS", 0.01)
    with capture_logs() as logs:
        tracer = tracer_to(collector.address)
        with tracer.span("check") as span:
            span.note("bad", object())  # type: ignore[arg-type]
        wait_for(lambda: logs)
        with tracer.span("good"):
            pass
        tracer.close(CLOSE_SECONDS)
    assert (tracer.exporter.dropped, [span.name for span in collector.spans]) == (1, ["good"])
    assert logs[0]["event"] == "spans_unwritable"


def test_with_a_dead_collector_spans_are_dropped_at_no_cost_but_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter, "QUEUE", 1000)
    with socket.create_server(("127.0.0.1", 0)) as silent, capture_logs():
        tracer = tracer_to(f"http://127.0.0.1:{silent.getsockname()[1]}")
        for _ in range(5000):
            with tracer.span("check"):
                pass
        assert len(tracer.exporter._waiting) <= 1000
        assert tracer.exporter.dropped >= 3000
        before = time.monotonic()
        tracer.close(0.2)
        assert time.monotonic() - before < 3


def test_the_address_gets_its_path_once() -> None:
    assert traces_address("http://otel:4318") == "http://otel:4318/v1/traces"
    assert traces_address("http://otel:4318/v1/traces/") == "http://otel:4318/v1/traces"


def test_off_is_nothing_at_all() -> None:
    tracer = NoTracer()
    with tracer.span("check") as span:
        span.rename("other")
        span.note("a", 1)
        span.mark("b")
        span.fail("c")
        assert outgoing() is None
    assert tracer.span("one") is tracer.span("two")
    assert tracer.ids() == {}
    tracer.close(1)


def test_nothing_of_tracing_is_imported_when_off() -> None:
    program = (
        "import sys, fks_master.app; sys.exit(any(name.startswith(('opentelemetry', 'google', "
        "'fks_master.tracing.otlp', 'fks_master.tracing.exporter')) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=30).returncode == 0
