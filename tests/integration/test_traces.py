"""Traces of a running monitor, as a collector gets them."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.collector import Collector
from tests.process import fleet, monitor, wait_for

TRACE = "0af7651916cd43dd8448eb211c80319c"


DOCKER = """#!/bin/sh
case "$*" in
  "compose version --short") echo 2.26.1 ;;
  *"config --format json") echo '{"name": "shop", "services": {}}' ;;
  "ps --all"*) ;;
  *" pull --"*) exit 17 ;;
esac
"""


def notes_of(span: Any) -> dict[str, object]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


@pytest.fixture
def collector() -> Iterator[Collector]:
    one = Collector()
    yield one
    one.close()


def test_checks_are_traced_with_their_phases_and_why_they_failed(collector: Collector) -> None:
    with fleet() as targets:
        targets.behave("fks_data", "error")
        with monitor("--config", str(targets.config), FKS_OTEL_ENDPOINT=collector.address) as one:
            wait_for(lambda: one.status("fks_data") == "Unhealthy" and one.status("fks_api") == "Healthy")
            [incident] = wait_for(lambda: one.get("/api/incidents?service_id=fks_data")["incidents"])
            timeline = one.get(f"/api/incidents/{incident['id']}")["timeline"]
            assert one.stop() == 0
    traces = {span.trace_id.hex() for span in collector.spans if span.name == "check"}
    assert {entry["data"]["trace_id"] for entry in timeline if entry["kind"] == "result"} <= traces
    checks = {notes_of(span)["fks.service_id"]: span for span in collector.spans if span.name == "check"}
    good, bad = checks["fks_api"], checks["fks_data"]
    assert notes_of(good)["http.response.status_code"] == 200
    phases = [event.name for event in good.events]
    assert phases[0] in {"dns", "connect"}
    assert phases[-2:] == ["first_byte", "transfer"] or phases[-1] == "first_byte"
    moments = [event.time_unix_nano for event in good.events]
    assert moments == sorted(moments)
    slack = 1e9  # the clocks of libcurl and of the span are read at different moments, with others' work between
    assert good.start_time_unix_nano - slack <= moments[0] <= moments[-1] <= good.end_time_unix_nano + slack
    assert "status" in bad.status.message


def test_requests_restarts_and_jobs_continue_the_trace_that_they_came_with(
    collector: Collector, tmp_path: Path
) -> None:
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    (tmp_path / "docker-compose.yml").write_text("services: {}\n")
    (tmp_path / "monitor.toml").write_text(
        '[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\ndocker_container = "one"\n'
    )
    came = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "x_request_id": "mine"}
    where = {
        "FKS_OTEL_ENDPOINT": collector.address,
        "FKS_TRACE_SAMPLE_RATIO": "0",  # only what somebody else wants to see
        "DOCKER_HOST": f"unix://{tmp_path}/none.sock",
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "FKS_JSON_LOG": "1",
        "FKS_LOG_LEVEL": "debug",
    }
    with monitor("--config", "monitor.toml", folder=tmp_path, **where) as one:
        assert one.request("/health", **came)[0] == 200
        assert one.request("/api/services/one/restart", "POST", **came)[0] == 503
        assert one.request("/api/compose", "POST", {"action": "pull"}, **came)[0] == 500
        assert one.stop() == 0
        lines = [json.loads(line) for line in one.log.splitlines() if line.startswith("{")]
    changes = [line for line in lines if line["event"] == "change"]
    assert [(line["outcome"], line["request_id"], line["trace_id"]) for line in changes] == [
        (503, "mine", TRACE),
        (500, "mine", TRACE),
    ]
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    spans = {span.name: span for span in collector.spans}
    health, restart, job = spans["GET /health"], spans["service restart"], spans["compose pull"]
    notes = notes_of(health)
    assert (notes["http.route"], notes["http.response.status_code"]) == ("/health", 200)
    assert notes["fks.request_id"] == "mine"
    assert health.parent_span_id.hex() == "b7ad6b7169203331"
    assert restart.parent_span_id == spans["POST /api/services/{service_id}/restart"].span_id
    assert "Docker" in restart.status.message
    assert job.parent_span_id == spans["POST /api/compose"].span_id
    assert job.status.message == "exit code 17"


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
        wait_for(lambda: [text for text in one.get("/api/status")["warnings"] if "Traces" in text])
        assert one.stop() == 0
