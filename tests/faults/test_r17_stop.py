"""R17: told to stop with checks in flight, notifications queued and sockets open."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.process import ADDRESS, PATIENCE, Monitor, monitor, wait_for
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

WITHIN = 10.0


class Receiver:
    """Takes notifications; while `is_silent`, it never answers."""

    def __init__(self) -> None:
        self.is_silent = threading.Event()
        self.tries = 0
        self.told: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.tries += 1
                if outer.is_silent.is_set():
                    self.connection.settimeout(PATIENCE)
                    self.connection.recv(1)  # until the other side gives up
                    return
                outer.told += [one["id"] for one in body.get("events") or [body]]
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, args=(0.05,)).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.server.shutdown()
    one.server.server_close()


@contextmanager
def silent_target() -> Iterator[int]:
    """Accept in the kernel's queue, and never say a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as server:
        yield server.getsockname()[1]


def write_config(folder: Path, silent: int, webhook: str) -> Path:
    path = folder / "monitor.toml"
    hanging = (f'[[services]]\nid = "h{n}"\nhealth_endpoint = "http://127.0.0.1:{silent}/"\n' for n in range(40))
    waiting = (f'[[services]]\nid = "{s}"\nhealth_endpoint = "{s}://127.0.0.1:{silent}/"\n' for s in ("tls", "https"))
    path.write_text(
        f'[alerts]\nwebhook_url = "{webhook}"\nconsecutive_failures_threshold = 1\n'
        '[[services]]\nid = "down"\nhealth_endpoint = "http://127.0.0.1:1/"\nretry_attempts = 1\n'
        f'[[services]]\nid = "tcp"\nhealth_endpoint = "tcp://127.0.0.1:{silent}"\ntcp.expect = "x"\n'
        f"{''.join(hanging)}{''.join(waiting)}"
    )
    return path


def open_sockets(one: Monitor, stack: ExitStack) -> list[ClientConnection]:
    """Open live feeds, and connections that stand in every state a request can be in."""
    host, port = one.address.removeprefix("http://").split(":")
    for words in (
        b"",
        b"GET /health HT",
        b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"POST /api/silences HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500\r\n\r\n{",
        b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n",
    ):
        stack.enter_context(socket.create_connection((host, int(port)))).sendall(words)
    feeds = [stack.enter_context(connect(f"ws://{host}:{port}/ws")) for _ in range(10)]
    for feed in feeds:
        assert json.loads(feed.recv(PATIENCE))["type"] == "initial"
    return feeds


def close_code(feed: ClientConnection) -> int | None:
    try:
        while True:
            feed.recv(PATIENCE)
    except ConnectionClosed:
        return feed.close_code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_well_within_ten_seconds_and_the_queue_is_kept(receiver: Receiver, tmp_path: Path, number: int) -> None:
    receiver.is_silent.set()
    with silent_target() as silent:
        config = write_config(tmp_path, silent, receiver.address)
        with monitor("--config", str(config), folder=tmp_path) as one, ExitStack() as stack:
            wait_for(lambda: receiver.tries and one.status("down") == "Unhealthy")
            feeds = open_sockets(one, stack)
            began = time.monotonic()
            one.process.send_signal(number)
            assert {close_code(feed) for feed in feeds} == {1001}
            assert one.process.wait(PATIENCE) == 0
            assert time.monotonic() - began < WITHIN
            assert "Traceback" not in one.log
        receiver.is_silent.clear()
        with monitor("--config", str(config), folder=tmp_path) as one:
            wait_for(lambda: receiver.told)
            assert one.stop() == 0
        assert len(receiver.told) == len(set(receiver.told)) == 1, "told once, and the restart told nothing of its own"


def child_of(process: "subprocess.Popen[bytes]") -> int:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return int(wait_for(lambda: children.read_text().split())[0])


def test_as_process_1_it_ends_too(tmp_path: Path) -> None:
    """The kernel gives process 1 no default action for a signal."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        assert not os.environ.get("CI")
        pytest.skip("a PID namespace needs root")
    (tmp_path / "monitor.toml").write_text('[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n')
    environment = {**os.environ, "FKS_MASTER_PORT": "0"}
    command = [
        "unshare",
        "--pid",
        "--fork",
        "--mount-proc",
        sys.executable,
        "-m",
        "fks_master",
        "--config",
        "monitor.toml",
    ]
    log = tmp_path / "log"
    with log.open("wb") as stream, subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=stream) as outer:
        try:
            inner = child_of(outer)
            one = Monitor(outer, log)
            one.address = wait_for(lambda: (found := ADDRESS.search(log.read_text())) and found[1])
            assert Path(f"/proc/{inner}/status").read_text().split("NSpid:")[1].split()[1] == "1"
            wait_for(lambda: one.status("one") == "Unhealthy")
            began = time.monotonic()
            os.kill(inner, signal.SIGTERM)
            assert outer.wait(PATIENCE) == 0
            assert time.monotonic() - began < WITHIN
        finally:
            outer.kill()


def accepts(one: Monitor) -> bool:
    host, port = one.address.removeprefix("http://").split(":")
    try:
        with socket.create_connection((host, int(port)), timeout=5):
            return True
    except OSError:
        return False


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with silent_target() as silent:
        config = write_config(tmp_path, silent, "")
        with monitor("--config", str(config), folder=tmp_path) as one, ExitStack() as stack:
            wait_for(lambda: one.status("down") == "Unhealthy")
            open_sockets(one, stack)
            began = time.monotonic()
            one.process.send_signal(signal.SIGTERM)
            wait_for(lambda: not accepts(one))  # two signals at once would count as one
            one.process.send_signal(signal.SIGTERM)
            assert one.process.wait(PATIENCE) == 0
            assert time.monotonic() - began < WITHIN
