"""Traces of a running monitor, as a collector gets them."""

from pathlib import Path

from tests.collector import Collector
from tests.process import monitor, wait_for

TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_checks_and_requests_are_traced_and_a_trace_is_continued(tmp_path: Path) -> None:
    config = tmp_path / "monitor.toml"
    config.write_text('[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\nretry_attempts = 1\n')
    collector = Collector()
    try:
        with monitor("--config", str(config), FKS_OTEL_ENDPOINT=collector.address) as one:
            wait_for(lambda: one.status("one") == "Unhealthy")
            one.request("/health", traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
            assert one.stop() == 0
        spans = collector.spans
    finally:
        collector.close()
    continued = [span for span in spans if span.trace_id.hex() == TRACE]
    assert [span.name for span in continued] == ["http.request"]
    notes = {each.key: each.value for each in continued[0].attributes}
    assert notes["http.route"].string_value == "/health"
    assert notes["http.response.status_code"].int_value == 200
    check = next(span for span in spans if span.name == "check")
    assert "refused" in check.status.message


def test_a_collector_that_is_gone_holds_up_nothing(tmp_path: Path) -> None:
    config = tmp_path / "monitor.toml"
    config.write_text('[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n')
    with monitor("--config", str(config), FKS_OTEL_ENDPOINT="http://127.0.0.1:1") as one:
        wait_for(lambda: one.status("one") == "Unhealthy")
        assert one.stop() == 0
