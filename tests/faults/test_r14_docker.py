"""R14: a Docker daemon that is stopped, killed, slow, gone, or talks nonsense. Nobody is down because of that."""

import contextlib
import json
import os
import signal
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from tests.docker_engine import Engine
from tests.integration.test_docker import answers, container_of
from tests.process import Monitor, monitor, wait_for
from tests.tools import free_port

INTERVAL = 0.3


@contextlib.contextmanager
def watching(docker: Engine, folder: Path, host: str = "", ends_with: int = 0) -> Iterator[Monitor]:
    port = free_port()
    docker.serve_health("fks_api", port, ends_with=ends_with)
    wait_for(lambda: answers(port))
    (folder / "monitor.toml").write_text(
        f"[monitoring]\ncheck_interval_seconds = {INTERVAL}\nretry_attempts = 1\n"
        f'[[services]]\nid = "api"\nhealth_endpoint = "http://127.0.0.1:{port}/health"\ndocker_container = "fks_api"\n'
    )
    with monitor("--config", "monitor.toml", folder=folder, DOCKER_HOST=host or docker.host) as one:
        wait_for(lambda: one.status("api") == "Healthy")
        yield one


def events(one: Monitor) -> list[str]:
    return [each["event_type"] for each in one.get("/api/events")["events"]]


def checks_go_on(one: Monitor) -> None:
    """Ten more checks come as they should, all of them good."""
    begun, before = time.monotonic(), one.get("/api/status")["checks_completed"]
    wait_for(lambda: one.get("/api/status")["checks_completed"] >= before + 10)
    assert time.monotonic() - begun < 10 * INTERVAL + 5
    assert one.status("api") == "Healthy"


def restart(one: Monitor) -> tuple[int, float]:
    begun = time.monotonic()
    return one.request("/api/services/api/restart", "POST")[0], time.monotonic() - begun


def test_r14_one_that_hangs_is_unknown_within_seconds_and_back_when_it_wakes(docker: Engine, tmp_path: Path) -> None:
    with watching(docker, tmp_path) as one:
        wait_for(lambda: container_of(one))
        assert docker.process is not None
        docker.process.send_signal(signal.SIGSTOP)
        try:
            checks_go_on(one)
            wait_for(lambda: not container_of(one), 20)
            assert one.get("/api/status")["docker_version"] is None
            status, seconds = restart(one)
            assert status in {502, 503}
            assert seconds < 10
            assert one.request("/api/services/api/logs")[0] in {503, 504}
            checks_go_on(one)
        finally:
            docker.process.send_signal(signal.SIGCONT)
        wait_for(lambda: container_of(one).get("state") == "running")
        assert not {"ContainerDied", "ServiceDown"} & set(events(one))
        assert restart(one)[0] == 200


def test_r14_one_that_is_killed_and_comes_back_is_followed_again(docker: Engine, tmp_path: Path) -> None:
    with watching(docker, tmp_path) as one:
        wait_for(lambda: container_of(one))
        docker.end(signal.SIGKILL)
        try:
            wait_for(lambda: not container_of(one))
            checks_go_on(one)
            assert restart(one)[0] in {502, 503}
            assert not {"ContainerDied", "ServiceDown"} & set(events(one))
        finally:
            docker.begin()
        wait_for(lambda: container_of(one).get("state") == "exited")
        wait_for(lambda: one.status("api") == "Unhealthy")
        docker.docker("start", "fks_api")
        wait_for(lambda: container_of(one).get("state") == "running")
        wait_for(lambda: one.status("api") == "Healthy")
        docker.crash("fks_api")
        wait_for(lambda: container_of(one).get("exit_code") == 7)


def test_r14_a_death_that_no_event_told_is_found_in_the_list(docker: Engine, tmp_path: Path) -> None:
    with watching(docker, tmp_path, ends_with=3) as one:
        wait_for(lambda: container_of(one))
        docker.end(signal.SIGKILL)
        wait_for(lambda: not container_of(one))
        docker.begin()  # it ends what an earlier daemon left behind
        wait_for(lambda: container_of(one).get("state") == "exited")
        wait_for(lambda: "ContainerDied" in events(one))
        assert events(one).count("ContainerDied") == 1


def test_r14_a_socket_that_goes_and_comes_back(docker: Engine, tmp_path: Path) -> None:
    path = Path(docker.host.removeprefix("unix://"))
    link = tmp_path / "docker.sock"
    link.symlink_to(path)
    with watching(docker, tmp_path, f"unix://{link}") as one:
        wait_for(lambda: container_of(one))
        link.unlink()
        checks_go_on(one)
        status, seconds = restart(one)
        assert (status in {200, 502, 503}, seconds < 35) == (True, True)
        link.symlink_to(path)
        wait_for(lambda: restart(one)[0] == 200)
        wait_for(lambda: one.status("api") == "Healthy")


class Between:
    """Stands between the monitor and whoever: one thread a connection, on a socket of its own."""

    def __init__(self, path: Path, speak: Callable[[socket.socket], None]) -> None:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    speak(self.request)

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True
            block_on_close = False

        self.server = Server(str(path), Handler)
        self.host = f"unix://{path}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def slowly(docker: Engine, seconds: float) -> Callable[[socket.socket], None]:
    """Pass everything on, each piece of an answer after a while."""

    def speak(client: socket.socket) -> None:
        with socket.socket(socket.AF_UNIX) as daemon:
            daemon.connect(docker.host.removeprefix("unix://"))

            def forward() -> None:
                with contextlib.suppress(OSError):
                    while data := client.recv(65536):
                        daemon.sendall(data)
                    daemon.shutdown(socket.SHUT_WR)

            threading.Thread(target=forward, daemon=True).start()
            while data := daemon.recv(65536):
                time.sleep(seconds)
                client.sendall(data)

    return speak


def test_r14_one_that_is_slow_delays_no_check_and_is_still_followed(docker: Engine, tmp_path: Path) -> None:
    with Between(tmp_path / "slow.sock", slowly(docker, 0.7)) as slow, watching(docker, tmp_path, slow.host) as one:
        wait_for(lambda: container_of(one))
        checks_go_on(one)
        docker.crash("fks_api")
        wait_for(lambda: container_of(one).get("exit_code") == 7)
        wait_for(lambda: one.status("api") == "Unhealthy")


def http(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


VERSION = http(json.dumps({"Version": "20.10", "ApiVersion": "1.41"}).encode())
NONSENSE = {
    "noise": lambda _: os.urandom(4096),
    "html": lambda _: http(b"<html>not here</html>"),
    "a list": lambda _: http(b"[1, 2]"),
    "no api version": lambda _: http(b'{"Version": "20.10"}'),
    "a refusal that is none": lambda _: http(b'"no"', "500 Internal Server Error"),
    "an odd list": lambda path: VERSION if b"/version" in path else http(b'[null, 3, {"Id": 5}, {"Id": "../info"}]'),
    "no list": lambda path: VERSION if b"/version" in path else http(b'{"a": 1}'),
    "odd events": lambda path: VERSION if b"/version" in path else http(b"[]") if b"json" in path else http(b"{]\n"),
    "an event without end": lambda path: (
        VERSION if b"/version" in path else http(b"[]") if b"json" in path else http(b"x" * (5 << 20))
    ),
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_r14_nonsense_is_as_good_as_nothing(tmp_path: Path, kind: str) -> None:
    def speak(client: socket.socket) -> None:
        while request := client.recv(65536):
            client.sendall(NONSENSE[kind](request.split(b" ")[1]))
            if kind == "noise":
                return

    (tmp_path / "monitor.toml").write_text('[[services]]\nid = "a"\nhealth_endpoint = "http://127.0.0.1:1/"\n')
    with (
        Between(tmp_path / "odd.sock", speak) as odd,
        monitor("--config", "monitor.toml", folder=tmp_path, DOCKER_HOST=odd.host) as one,
    ):
        wait_for(lambda: "docker_absent" in one.log)
        wait_for(lambda: one.get("/api/status")["docker_version"] is None)
        assert one.request("/health")[0] == 200
        assert "Traceback" not in one.log
