"""A real monitor in a process of its own, for the tests that need one."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 60.0
ADDRESS = re.compile(r"dashboard\s+(\S+)")
EXPECTED = re.compile("expected_response_time_ms = [0-9]{1,3}$", re.MULTILINE)  # less is not for a busy machine
SPEAKS_FOR_US = ("FKS_", "RUST_LOG", "OTEL_", "DOCKER_", "NOTIFY_SOCKET")


def wait_for(what: Callable[[], T], seconds: float = PATIENCE) -> T:
    """Ask again and again until the answer is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < deadline, f"still {answer!r} after {seconds:g} s"
        time.sleep(0.02)
    return answer


class Monitor:
    """One running `fks_master`; `address` is where it listens."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self._log = log
        self.address = ""

    def wait_until_ready(self) -> None:
        self.address = wait_for(self._find_address)

    def _find_address(self) -> str:
        assert self.process.poll() is None, self.log
        found = ADDRESS.search(self.log)
        return found[1] if found else ""

    @property
    def log(self) -> str:
        return self._log.read_text()

    def request(
        self, path: str, method: str = "GET", body: object = None, **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        data = None if body is None else json.dumps(body).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = {} if data is None else {"Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, data, {**kind, **names}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def get(self, path: str) -> Any:
        return json.loads(self.request(path)[2])

    def status(self, service_id: str) -> str:
        found: dict[str, str] = {one["id"]: one["status"] for one in self.get("/api/services")}
        return found.get(service_id, "")

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def monitor(*arguments: str, folder: Path | None = None, **environment: str) -> Iterator[Monitor]:
    """Run `fks_master ARGUMENTS` on a free port until the block ends. `folder` is its working directory."""
    with tempfile.TemporaryDirectory() as own:
        log = Path(own, "log")
        with (
            log.open("wb") as stream,
            start(*arguments, folder=folder or Path(own), stderr=stream, **environment) as one,
        ):
            running = Monitor(one, log)
            try:
                running.wait_until_ready()
                yield running
            finally:
                _end(one)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def start(
    *arguments: str, folder: Path, stderr: Any = subprocess.PIPE, stdout: Any = None, **environment: str
) -> "subprocess.Popen[bytes]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith(SPEAKS_FOR_US)}
    return subprocess.Popen(
        [sys.executable, "-m", "fks_master", *arguments],
        cwd=folder,
        env={"FKS_MASTER_PORT": "0", **clean, **environment},
        stdin=subprocess.DEVNULL,
        stderr=stderr,
        stdout=stdout,
    )


class Fleet:
    """The demo fleet in a process of its own; `behave` returns once a service behaves so."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert process.stdout is not None
        self.config = Path(process.stdout.readline().strip())
        text = self.config.read_text()
        self.config.write_text(EXPECTED.sub("expected_response_time_ms = 1000", text))

    def behave(self, service_id: str, behaviour: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{service_id} {behaviour}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    @property
    def requests(self) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("requests?\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def fleet(size: int = 11, interval: float = 0.3) -> Iterator[Fleet]:
    """Run a calm fleet; what misbehaves is up to the test."""
    command = [sys.executable, "-m", "fks_master.demo", "--calm", "--size", str(size), "--interval", str(interval)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Fleet(process)
        finally:
            process.terminate()
            process.wait(PATIENCE)
