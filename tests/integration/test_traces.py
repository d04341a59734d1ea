"""Traces of a running monitor, as a collector gets them."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


def test_checks_and_webhooks_take_their_trace_along(tmp_path: Path) -> None:
    asked: dict[str, str | None] = {}

    class Both(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked[self.path] = self.headers["traceparent"]
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200 if self.path == "/hook" else 500)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    collector = Collector()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Both)
    threading.Thread(target=server.serve_forever, args=(0.05,)).start()
    base = f"http://127.0.0.1:{server.server_port}"
    config = tmp_path / "monitor.toml"
    config.write_text(
        f'[alerts]\nwebhook_url = "{base}/hook"\nconsecutive_failures_threshold = 1\n'
        f'[[services]]\nid = "one"\nhealth_endpoint = "{base}/traced"\nretry_attempts = 1\n'
        f'[[services]]\nid = "two"\nhealth_endpoint = "{base}/own"\nretry_attempts = 1\n'
        '[services.http]\nheaders = { Traceparent = "mine" }\n'
    )
    try:
        with monitor("--config", str(config), FKS_OTEL_ENDPOINT=collector.address) as one:
            wait_for(lambda: {"/hook", "/traced", "/own"} <= asked.keys())
            assert one.stop() == 0
        spans = {(span.name, span.span_id.hex()) for span in collector.spans}
    finally:
        collector.close()
        server.shutdown()
        server.server_close()
    assert asked["/own"] == "mine"
    for path, name in (("/traced", "check"), ("/hook", "notification")):
        assert (name, str(asked[path]).split("-")[2]) in spans


def test_a_collector_that_is_gone_holds_up_nothing(tmp_path: Path) -> None:
    config = tmp_path / "monitor.toml"
    config.write_text('[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n')
    with monitor("--config", str(config), FKS_OTEL_ENDPOINT="http://127.0.0.1:1") as one:
        wait_for(lambda: one.status("one") == "Unhealthy")
        assert one.stop() == 0
