"""What others rely on: the description of the API, the command line, the end of the feed."""

import json
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from tests.process import PATIENCE, fleet, monitor, start
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "monitor.toml"
    path.write_text('[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n')
    return path


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    with start(*arguments, folder=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        out, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, out.decode(), errors.decode()


def test_the_document_describes_every_route_and_the_page_loads_nothing_from_elsewhere(config: Path) -> None:
    with monitor("--config", str(config)) as one:
        document = one.get("/openapi.json")
        assert document["openapi"] == "3.1.0"
        promised = {
            "/health", "/health/aggregate", "/api/services", "/api/services/{service_id}/health", "/api/metrics",
            "/api/services/{service_id}/restart", "/api/compose", "/metrics", "/api/audit", "/api/jobs",
            "/api/incidents", "/openapi.json",
        }  # fmt: skip
        assert promised <= document["paths"].keys()
        names = set(document["components"]["schemas"])
        used = {each.split('"')[0] for each in json.dumps(document).split("#/components/schemas/")[1:]}
        assert used <= names
        page = one.request("/docs")[2].decode()
        assert "http" not in page
        assert one.request("/static/docs.js")[0] == 200


def test_every_answer_is_as_described(config: Path) -> None:
    with monitor("--config", str(config)) as one:
        document = one.get("/openapi.json")
        for path, methods in document["paths"].items():
            if "get" in methods:
                status, headers, _ = one.request(path.replace("{service_id}", "one").replace("{", "").replace("}", ""))
                described = methods["get"]["responses"]
                assert str(status) in described, (path, status)
                kind = headers["content-type"].partition(";")[0]
                assert kind in described[str(status)]["content"], (path, kind)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_feed_ends_with_1001(config: Path, number: int) -> None:
    with monitor("--config", str(config)) as one, connect(one.address.replace("http", "ws") + "/ws") as live:
        assert json.loads(live.recv(PATIENCE))["type"] == "initial"
        one.process.send_signal(number)
        for _ in live:
            pass
        assert live.close_code == 1001
        assert one.process.wait(PATIENCE) == 0


def test_check_looks_once_and_says_what_it_saw(tmp_path: Path) -> None:
    with fleet() as targets:
        code, out, _ = run(tmp_path, "check", "fks_api", "--config", str(targets.config))
        assert code == 0
        assert "FKS API: well" in out
        assert "connect" in out
        targets.behave("fks_api", "error")
        code, out, _ = run(tmp_path, "check", "fks_api", "--config", str(targets.config), "--json")
        assert code == 1
        assert json.loads(out)["status_code"] == 500
    code, _, errors = run(tmp_path, "check", "nobody")
    assert code == 1
    assert "known are fks_api" in errors
    assert run(tmp_path, "check", "http://127.0.0.1:1/")[0] == 1


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("ftp://x/", 'check: found "ftp://x/", expected an address that begins with one of http://'),
        ("http://[bad", "expected a host, perhaps a port"),
        ("tcp://127.0.0.1", 'expected a host and a port, such as "tcp://fks_db:5432"'),
    ],
)
def test_check_says_what_is_no_address(tmp_path: Path, target: str, message: str) -> None:
    code, out, errors = run(tmp_path, "check", target)
    assert (code, out) == (1, "")
    assert message in errors


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"status":"down","message":"disk \\u001b[2J","components":{"\\u001b":{"status":"up"}}}', "HTTP 503: disk"),
        (b"\x1b]0;a title\x07", "body: "),
    ],
)  # fmt: skip
def test_check_lets_no_target_write_to_the_terminal(tmp_path: Path, body: bytes, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer_once, args=(server, body))
        thread.start()
        code, out, _ = run(tmp_path, "check", f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread.join()
    assert code == 1
    assert words in out
    assert "\x1b" not in out


def answer_once(server: socket.socket, body: bytes) -> None:
    client, _ = server.accept()
    with client:
        client.recv(1000)
        client.sendall(b"HTTP/1.1 503 No\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def test_validate_says_all_that_is_wrong(config: Path) -> None:
    assert run(config.parent, "validate", str(config))[0] == 0
    config.write_text("[monitoring]\nbatchsize = 1\n[server]\nallowed_origins = [5]\n")
    code, _, errors = run(config.parent, "validate", str(config))
    assert code == 1
    assert len(errors.splitlines()) == 2
    assert "batch_size" in errors


@pytest.mark.parametrize("command", ["", "serve", "demo", "check", "validate", "compose"])
def test_every_command_helps_with_an_example(tmp_path: Path, command: str) -> None:
    code, out, _ = run(tmp_path, *command.split(), "--help")
    assert code == 0
    assert "fks_master" in out


def test_where_reading_is_closed_the_feed_wants_a_credential_first(config: Path) -> None:
    config.write_text("[server]\npublic_read = false\n" + config.read_text())
    with monitor("--config", str(config), FKS_MONITOR_API_KEY="right") as one:
        assert one.request("/api/services")[0] == 401
        assert one.request("/metrics")[0] == 401
        assert one.request("/health")[0] == 200
        assert one.request("/api/services", x_api_key="right")[0] == 200
        address = one.address.replace("http", "ws") + "/ws"
        with connect(address) as live:
            live.send(json.dumps({"command_type": "authenticate", "token": "right"}))
            assert json.loads(live.recv(PATIENCE))["type"] == "authenticated"
            assert json.loads(live.recv(PATIENCE))["type"] == "initial"
        with connect(address) as live:
            live.send(json.dumps({"command_type": "authenticate", "token": "wrong"}))
            assert json.loads(live.recv(PATIENCE))["reason"] == "unauthorized"
            with pytest.raises(ConnectionClosed):
                live.recv(PATIENCE)
