"""The rules of the socket proxy, enforced in front of a real engine: enough for us, and nothing that makes one root."""

import http.client
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from tests.docker_engine import Engine
from tests.process import monitor, wait_for
from tests.tools import free_port

FILE = Path(__file__).parents[2] / "deploy" / "compose" / "socket-proxy.yml"
RULE = re.compile(r"^ +- -allow([A-Z]+)=(.+)$", re.MULTILINE)
RULES = {method: re.compile(path) for method, path in RULE.findall(FILE.read_text())}
LONGEST_HEAD = 65536


def is_allowed(method: str, target: str) -> bool:
    return method in RULES and RULES[method].fullmatch(target.partition("?")[0]) is not None


class Proxy:
    """Passes on what the rules let through, one request a connection; `denied` is what they do not."""

    def __init__(self, path: str) -> None:
        self.denied: list[str] = []
        self._path = path
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), closing(client), socket.socket(socket.AF_UNIX) as engine:
            head = b""
            while b"\r\n\r\n" not in head and len(head) < LONGEST_HEAD:
                if not (piece := client.recv(4096)):
                    return
                head += piece
            first, _, rest = head.partition(b"\r\n")
            method, target, _ = first.decode().split(" ")
            if not is_allowed(method, target):
                self.denied.append(f"{method} {target}")
                client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            engine.connect(self._path)
            kept = re.sub(rb"(?im)^connection:[^\r]*\r\n", b"", rest)
            engine.sendall(first + b"\r\nConnection: close\r\n" + kept)
            threading.Thread(target=self._end_with, args=(client, engine), daemon=True).start()
            while piece := engine.recv(65536):
                client.sendall(piece)

    @staticmethod
    def _end_with(client: socket.socket, engine: socket.socket) -> None:
        """End the engine's side when the client goes, as events and logs would never end by themselves."""
        with suppress(OSError):
            while client.recv(4096):
                pass
        with suppress(OSError):
            engine.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxied(engine: Engine) -> Iterator[Proxy]:
    proxy = Proxy(f"{engine.folder}/docker.sock")
    try:
        yield proxy
    finally:
        proxy.close()


def test_the_rules_are_enough_to_watch_restart_and_read_logs(docker: Engine, tmp_path: Path) -> None:
    port = free_port()
    docker.serve_health("fks_api", port)
    config = tmp_path / "monitor.toml"
    config.write_text(
        f'[[services]]\nid = "api"\nhealth_endpoint = "http://127.0.0.1:{port}/health"\n'
        'docker_container = "fks_api"\ninterval_seconds = 0.3\nretry_attempts = 1\n'
    )
    with (
        proxied(docker) as proxy,
        monitor("--config", str(config), DOCKER_HOST=f"tcp://127.0.0.1:{proxy.port}") as one,
    ):
        wait_for(lambda: one.status("api") == "Healthy")
        wait_for(lambda: (one.get("/api/services/api/health")["metrics"]["memory_usage_mb"]) is not None)
        docker.crash("fks_api")
        wait_for(lambda: one.status("api") == "Unhealthy")
        assert one.request("/api/services/api/restart", "POST")[0] == 200
        wait_for(lambda: one.status("api") == "Healthy")
        assert one.request("/api/services/api/logs")[0] == 200
        assert one.request("/api/services/api/stop", "POST")[0] == 200
        assert one.request("/api/services/api/start", "POST")[0] == 200
        assert proxy.denied == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1.41/containers/create"),
        ("POST", "/containers/create?name=start"),
        ("POST", "/v1.41/containers/abc/exec"),
        ("POST", "/v1.41/containers/abc/update"),
        ("POST", "/v1.41/containers/../build/start"),
        ("POST", "/v1.41/containers/abc/kill"),
        ("POST", "/v1.41/exec/abc/start"),
        ("POST", "/v1.41/build"),
        ("POST", "/v1.41/images/create"),
        ("POST", "/v1.41/volumes/create"),
        ("PUT", "/v1.41/containers/abc/archive"),
        ("GET", "/v1.41/containers/abc/archive"),
        ("GET", "/v1.41/containers/abc/export"),
        ("GET", "/v1.41/secrets"),
        ("DELETE", "/v1.41/containers/abc"),
    ],
)
def test_the_rules_let_nothing_else_through(docker: Engine, method: str, path: str) -> None:
    with proxied(docker) as proxy, closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)) as client:
        client.request(method, path)
        assert client.getresponse().status == 403
        assert len(proxy.denied) == 1
