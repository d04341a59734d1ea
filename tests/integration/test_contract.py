"""The outside, line by line: routes, methods, headers, shapes and names that others rely on."""

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.process import PATIENCE, Monitor, fleet, monitor, start, wait_for
from websockets.sync.client import connect

from fks_master.cli import main

READING = {
    "/": "text/html",
    "/health": "application/json",
    "/health/aggregate": "application/json",
    "/api/services": "application/json",
    "/api/services/fks_api/health": "application/json",
    "/api/metrics": "application/json",
    "/metrics": "text/plain",
    "/openapi.json": "application/json",
    "/docs": "text/html",
}
ELSEWHERE = "https://elsewhere.example"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@pytest.fixture(scope="module")
def one() -> Iterator[Monitor]:
    with fleet(interval=0.5) as targets, monitor("--config", str(targets.config)) as running:
        targets.behave("fks_api", "error")
        targets.behave("fks_web", "slow")
        wait_for(lambda: (running.status("fks_api"), running.status("fks_web")) == ("Unhealthy", "Degraded"))
        wait_for(lambda: "Unknown" not in {each["status"] for each in running.get("/api/services")})
        yield running


@pytest.mark.parametrize("path", READING)
def test_reading_is_open_to_every_origin_without_cookies(one: Monitor, path: str) -> None:
    status, headers, body = one.request(path, origin=ELSEWHERE, x_request_id="mine.1")
    assert (status, headers["content-type"].partition(";")[0]) == (200, READING[path])
    assert headers["x-request-id"] == "mine.1"
    assert "set-cookie" not in headers
    assert body
    if path.startswith(("/api", "/health", "/metrics")):
        assert headers["access-control-allow-origin"] == "*"
    status, headers, body = one.request(path, "HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 0
    assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])


@pytest.mark.parametrize("bad", ["", "a b", "x" * 200, "ä", "<script>"])
def test_an_insane_request_id_is_replaced(one: Monitor, bad: str) -> None:
    assert re.fullmatch("[0-9a-f]{32}", one.request("/health", x_request_id=bad)[1]["x-request-id"])


def test_a_preflight_says_what_may_be_sent(one: Monitor) -> None:
    status, headers, _ = one.request("/api/services", "OPTIONS", origin=ELSEWHERE, access_control_request_method="GET")
    assert status == 204
    assert headers["access-control-allow-origin"] == "*"
    allowed = set(headers["access-control-allow-headers"].split(", "))
    assert {"authorization", "content-type", "x-api-key", "x-request-id", "traceparent", "idempotency-key"} <= allowed
    status, headers, _ = one.request(
        "/api/services/fks_api/restart", "OPTIONS", origin=ELSEWHERE, access_control_request_method="POST"
    )
    assert status == 204
    assert "access-control-allow-origin" not in headers


def test_what_is_not_there_and_what_is_not_possible_are_problem_documents(one: Monitor) -> None:
    for method, path, expected in (
        ("GET", "/nothing", 404),
        ("POST", "/api/nothing", 404),
        ("GET", "/api/services/none/health", 404),
        ("DELETE", "/api/services", 405),
        ("PATCH", "/health", 405),
    ):
        status, headers, body = one.request(path, method)
        assert (status, headers["content-type"]) == (expected, "application/problem+json")
        problem = json.loads(body)
        assert problem["status"] == expected
        assert problem.keys() >= {"type", "title", "status", "detail"}
    assert one.request("/health", "POST")[1]["allow"] == "GET, HEAD, OPTIONS"
    assert one.request("/health", "OPTIONS")[1]["allow"] == "GET, HEAD, OPTIONS"


def test_a_slash_at_the_end_is_no_other_path(one: Monitor) -> None:
    status, headers, body = one.request("/api/services/", origin=ELSEWHERE)
    assert (status, headers["access-control-allow-origin"]) == (200, "*")
    assert len(json.loads(body)) == 11
    assert one.request("/api/services/fks_api/restart/", "POST")[0] == 409


def raw(one: Monitor, text: str) -> tuple[int, dict[str, str], bytes]:
    """Send what no client of the library would, and return the answer until the connection ends."""
    host, port = one.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), PATIENCE) as connection:
        connection.sendall(text.replace("\n", "\r\n").encode())
        whole = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = whole.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return (
        int(first.split()[1]),
        {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)},
        body,
    )


HANDSHAKE = (
    "Host: localhost\nUpgrade: websocket\nConnection: Upgrade\n"
    "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n"
)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("NONSENSE /health HTTP/1.1\n\n", 400),
        ("hello\n\n", 400),
        ("GET /ws HTTP/1.1\nHost: localhost\nConnection: close\n\n", 426),
        (f"GET /other HTTP/1.1\n{HANDSHAKE}", 404),
        (f"GET /ws HTTP/1.1\nOrigin: {ELSEWHERE}\n{HANDSHAKE}", 403),
    ],
)
def test_whatever_is_refused_gets_a_problem_document_and_an_id(one: Monitor, said: str, expected: int) -> None:
    status, headers, body = raw(one, said)
    assert (status, headers["content-type"]) == (expected, "application/problem+json")
    assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])
    assert json.loads(body)["status"] == expected


def test_a_handshake_keeps_the_request_id(one: Monitor) -> None:
    with connect(one.address.replace("http", "ws") + "/ws/", additional_headers={"X-Request-Id": "mine.2"}) as live:
        assert live.response is not None
        assert live.response.headers["X-Request-Id"] == "mine.2"
        live.send(json.dumps({"command_type": "get_service_details"}))
        messages = (json.loads(live.recv(PATIENCE)) for _ in range(1000))
        assert next(each for each in messages if each["type"] == "error")["reason"] == "service_id: expected a text"


def test_health_says_who_and_when(one: Monitor) -> None:
    health = one.get("/health")
    assert (health["status"], health["service"]) == ("healthy", "fks_master")
    assert MOMENT.fullmatch(health["timestamp"])


def test_the_aggregate_is_in_camel_case_and_adds_up(one: Monitor) -> None:
    found = one.get("/health/aggregate")
    assert found.keys() >= {"overallStatus", "totalServices", "healthyServices", "warningServices", "errorServices",
                            "offlineServices", "lastUpdate", "services"}  # fmt: skip
    counts = [found[f"{name}Services"] for name in ("healthy", "warning", "error", "offline")]
    assert found["totalServices"] == sum(counts) == len(found["services"])
    assert found["overallStatus"] == "critical"
    by_id = {each["id"]: each for each in found["services"]}
    assert (by_id["fks_api"]["status"], by_id["fks_api"]["rawStatus"]) == ("error", "Unhealthy")
    assert (by_id["fks_web"]["status"], by_id["fks_web"]["rawStatus"]) == ("warning", "Degraded")
    assert by_id["fks_api"].keys() >= {"id", "name", "status", "rawStatus", "lastCheck", "responseTimeMs", "critical"}
    assert MOMENT.fullmatch(by_id["fks_api"]["lastCheck"])


def test_a_service_says_how_it_is(one: Monitor) -> None:
    down, slow = (
        next(each for each in one.get("/api/services") if each["id"] == name) for name in ("fks_api", "fks_web")
    )
    assert (down["uptime_seconds"], down["response_time_ms"]) == (0, None)
    assert down["error_message"] == "HTTP 500"
    assert slow["error_message"] is None
    assert slow["response_time_ms"] > 0
    health = one.get("/api/services/fks_data/health")
    assert health.keys() >= {"service_id", "status", "checks", "metrics", "last_updated"}
    assert health["metrics"].keys() >= {
        "cpu_usage_percent", "memory_usage_mb", "disk_usage_percent", "network_in_bytes", "network_out_bytes",
        "request_count", "error_rate", "block_read_bytes", "block_write_bytes",
    }  # fmt: skip
    assert health["metrics"]["cpu_usage_percent"] is None
    assert all(
        each.keys() >= {"name", "status", "response_time_ms", "message", "timestamp"} for each in health["checks"]
    )


def test_the_figures_add_up(one: Monitor) -> None:
    found = one.get("/api/metrics")
    assert found["total_services"] == 11
    assert found["unhealthy_services"] == found["critical_services_down"] == 1
    assert found["healthy_services"] == 9
    assert found["total_requests"] > found["total_errors"] > 0
    assert isinstance(found["system_load_average"], float)


LABELS = {
    "fks_service_health_status": {"service_id", "service_name", "service_type", "critical"},
    "fks_service_response_time_seconds": {"service_id", "service_name", "service_type"},
    "fks_health_checks": {"service_id", "service_name", "status"},
    "fks_service_error_rate": {"service_id", "service_name", "service_type"},
    "fks_monitor_uptime_seconds": set(),
    "fks_websocket_connections_active": set(),
    "fks_http_requests": {"method", "path", "status"},
    "fks_http_request_duration_seconds": {"method", "path"},
}


def test_metrics_have_their_names_and_labels(one: Monitor) -> None:
    families = {each.name: each for each in text_string_to_metric_families(one.request("/metrics")[2].decode())}
    for name, labels in LABELS.items():
        found = {frozenset(sample.labels) - {"le"} for sample in families[name].samples}
        assert found == {frozenset(labels)}, name
    status = {each.labels["service_id"]: each.value for each in families["fks_service_health_status"].samples}
    assert (status["fks_api"], status["fks_web"], status["fks_data"]) == (3, 2, 1)
    bounds = {
        each.labels["le"] for each in families["fks_service_response_time_seconds"].samples if "le" in each.labels
    }
    assert bounds == {"0.01", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "+Inf"}


def test_a_post_without_a_body_is_a_valid_restart_and_a_refusal_has_its_own_shape(one: Monitor) -> None:
    for path, expected in (("/api/services/none/restart", 404), ("/api/services/fks_api/restart", 409)):
        status, _, body = one.request(path, "POST", content_type="application/json")
        answer = json.loads(body)
        assert (status, answer["success"]) == (expected, False)
        assert answer.keys() >= {"service_id", "success", "message", "timestamp"}


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


@pytest.mark.parametrize("path", [(), *commands(main)], ids=" ".join)
def test_every_command_teaches_by_example(path: tuple[str, ...]) -> None:
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    text = command.get_help(click.Context(command, info_name=" ".join(("fks_master", *path))))
    assert "Example" in text
    assert f"fks_master {' '.join(path)}".strip() in text.partition("Example")[2]


def test_flags_beat_the_environment_and_that_the_file(tmp_path: Path) -> None:
    for name in ("flag", "variable"):
        (tmp_path / f"{name}.toml").write_text(
            f'[[services]]\nid = "{name}"\nhealth_endpoint = "http://127.0.0.1:1/"\n'
        )
    environment = {"FKS_MONITOR_CONFIG": "variable.toml", "FKS_MASTER_HOST": "127.0.0.2", "FKS_MASTER_PORT": "1"}
    with monitor("--port", "0", folder=tmp_path, **environment) as running:
        assert running.address.startswith("http://127.0.0.2:")
        assert running.get("/api/services")[0]["id"] == "variable"
    arguments = ("--port", "0", "--host", "127.0.0.1", "--config", "flag.toml")
    with monitor(*arguments, folder=tmp_path, **environment) as running:
        assert running.address.startswith("http://127.0.0.1:")
        assert running.get("/api/services")[0]["id"] == "flag"


def test_secrets_come_from_files_and_empty_variables_count_as_unset(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text('[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n')
    (tmp_path / "key").write_text("from a file\n")
    empty = dict.fromkeys(
        ("FKS_MASTER_HOST", "FKS_MONITOR_API_KEY", "FKS_WS_JWT_SECRET", "FKS_WS_JWT_ALLOWED_ROLES", "FKS_TLS_CERT",
         "FKS_TLS_KEY", "FKS_OTEL_ENDPOINT", "FKS_SERVICE_NAME", "FKS_TRACE_SAMPLE_RATIO", "FKS_JSON_LOG",
         "FKS_LOG_LEVEL", "RUST_LOG", "DOCKER_HOST"), "",
    )  # fmt: skip
    path = str(tmp_path / "monitor.toml")
    with monitor("--config", path, **empty, FKS_MONITOR_API_KEY_FILE=str(tmp_path / "key")) as running:
        assert running.request("/api/audit")[0] == 401
        assert running.request("/api/audit", x_api_key="from a file")[0] == 200
        assert running.request("/api/audit", authorization="Bearer from a file")[0] == 200
        assert "from a file" not in running.log


def test_a_mistake_in_every_place_is_told_in_one_go(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text("[monitoring]\nbatch_size = 0\n[serve]\n[alerts]\nwebhook_url = 'x'\n")
    arguments = ("--config", "monitor.toml")
    with start(*arguments, folder=tmp_path, stderr=subprocess.PIPE) as process:
        _, errors = process.communicate(timeout=30)
    lines = errors.decode().splitlines()
    assert process.returncode == 1
    assert len(lines) == 3
    assert [line.split(": ")[:3] for line in lines] == [
        ["monitor.toml", "line 2", "monitoring.batch_size"],
        ["monitor.toml", "line 3", "serve"],
        ["monitor.toml", "line 5", "alerts.webhook_url"],
    ]
    assert 'did you mean "server"' in errors.decode()
