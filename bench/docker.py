"""Measures acting, on a real Docker Engine: from `docker kill` to a client of the feed, from a restart's request to
Docker's call, the statistics of many containers, checks while Docker hangs, and how many requests can be refused.

    .venv/bin/python -m bench.docker [--containers 100] [--only kill,restart,usage,hang,all,refuse]

Bars: kill to event p99 at most 200 ms; request to Docker's call at most 20 ms; 100 containers measured within 5 s; at
least 5,000 refused requests a second, and checks neither then nor while Docker hangs later by more than 20 ms (p99).
"""

import argparse
import asyncio
import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.jobs import PRINTS_ON, SERVICES, TARGET, deviations
from tests.compose_stub import compose_stub
from tests.docker_engine import Engine, docker_engine
from tests.faults.test_r14_docker import Between
from tests.process import Monitor, monitor, wait_for
from websockets.sync.client import connect

from fks_master.clock import SystemClock
from fks_master.control.usage import Meter
from fks_master.docker.engine import DockerEngine
from fks_master.docker.usage import Usage
from fks_master.model import Service

KILLS = 60
RESTARTS = 30
FLOOD_SECONDS = 8.0
TALKERS = 5
KEY = "the right key"


def percentiles(found: list[float]) -> str:
    found = sorted(found)
    return f"p50 {found[len(found) // 2]:.1f} ms, p99 {found[min(len(found) - 1, len(found) * 99 // 100)]:.1f} ms"


def call(docker: Engine, method: str, path: str) -> None:
    """Ask the daemon without a program in between."""
    connection = http.client.HTTPConnection("docker")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(docker.host.removeprefix("unix://"))
    connection.request(method, path)
    connection.getresponse().read()
    connection.close()


def config(folder: Path, names: list[str]) -> None:
    text = "".join(
        f'[[services]]\nid = "{name}"\nhealth_endpoint = "http://127.0.0.1:1/"\ninterval_seconds = 3600\n'
        f'docker_container = "{name}"\n'
        for name in names
    )
    (folder / "monitor.toml").write_text(text)


def kills(docker: Engine, folder: Path) -> None:
    for number in range(3):
        docker.docker("run", "-d", "--network", "host", "--name", f"kill{number}", "fks/box")
    config(folder, [f"kill{number}" for number in range(3)])
    found = []
    with (
        monitor("--config", "monitor.toml", folder=folder, DOCKER_HOST=docker.host) as one,
        connect(one.address.replace("http", "ws") + "/ws") as live,
    ):
        wait_for(lambda: one.get("/api/services/kill0/health")["container"])
        for number in range(KILLS):
            name = f"kill{number % 3}"
            begun = time.monotonic()
            threading.Thread(target=call, args=(docker, "POST", f"/containers/{name}/kill")).start()
            while json.loads(live.recv(30)).get("event_type") != "ContainerDied":
                pass
            found.append((time.monotonic() - begun) * 1000)
            docker.docker("start", name)
    print(f"docker kill to the event at a client: {percentiles(found)}")


def restarts(docker: Engine, folder: Path) -> None:
    docker.serve_health("again", 18765)
    config(folder, ["again"])
    called: list[float] = []

    def speak(client: socket.socket) -> None:
        with socket.socket(socket.AF_UNIX) as daemon:
            daemon.connect(docker.host.removeprefix("unix://"))

            def back() -> None:
                with contextlib.suppress(OSError):
                    while data := daemon.recv(65536):
                        client.sendall(data)

            threading.Thread(target=back, daemon=True).start()
            while data := client.recv(65536):
                if b"/restart" in data.partition(b"\r\n")[0]:
                    called.append(time.monotonic())
                daemon.sendall(data)

    found = []
    with (
        Between(folder / "between.sock", speak) as between,
        monitor("--config", "monitor.toml", folder=folder, DOCKER_HOST=between.host) as one,
    ):
        wait_for(lambda: one.get("/api/services/again/health")["container"])
        for _ in range(RESTARTS):
            begun = time.monotonic()
            assert one.request("/api/services/again/restart", "POST")[0] == 200
            found.append((called[-1] - begun) * 1000)
    print(f"restart request to Docker's call: {percentiles(found)}")


class Watched:
    """As much of a hub as the meter needs."""

    def __init__(self, names: list[str]) -> None:
        self.services = {name: Service(name, name, "http://x/", docker_container=name) for name in names}
        self.states: dict[str, object] = {}


def usage(docker: Engine, count: int) -> None:
    names = [f"used{number}" for number in range(count)]
    for name in names:
        docker.docker("run", "-d", "--network", "host", "--name", name, "fks/box")
    print(f"{count} containers measured in {asyncio.run(measure(docker, names)):.1f} s")


async def measure(docker: Engine, names: list[str]) -> float:
    engine = DockerEngine(docker.host)
    await engine.connect()
    known = {one.name: one for one in await engine.containers()}
    found: dict[str, Usage | None] = {}
    meter = Meter(Watched(names), engine, Known(known.get), SystemClock(), found.__setitem__)  # type: ignore[arg-type]
    begun = time.monotonic()
    await meter.measure()
    seconds = time.monotonic() - begun
    await engine.close()
    assert all(one is not None and one.memory_bytes for one in found.values())
    return seconds


class Known:
    def __init__(self, of: Callable[[str | None], object]) -> None:
        self.of = of


@contextlib.contextmanager
def checked_fleet(folder: Path, docker_host: str, **more: str) -> Iterator[tuple[Monitor, list[tuple[str, float]]]]:
    """Watch fifty services once a second, and note when each was asked."""
    arrivals: list[tuple[str, float]] = []
    with subprocess.Popen([sys.executable, "-c", TARGET], stdout=subprocess.PIPE, text=True) as target:
        assert target.stdout is not None
        port = target.stdout.readline().strip()
        (folder / "monitor.toml").write_text(
            "".join(
                f'[[services]]\nid = "s{number}"\nhealth_endpoint = "http://127.0.0.1:{port}/s{number}"\n'
                f'interval_seconds = 1\ndocker_container = "s{number}"\n'
                for number in range(SERVICES)
            )
        )

        def read() -> None:
            for line in target.stdout or ():
                name, at = line.split()
                arrivals.append((name, float(at)))

        threading.Thread(target=read, daemon=True).start()
        given = {"DOCKER_HOST": docker_host, "FKS_MONITOR_API_KEY": KEY, **more}
        with monitor("--config", "monitor.toml", folder=folder, **given) as one:
            time.sleep(12)
            yield one, arrivals
        target.terminate()


def hang(docker: Engine, folder: Path) -> None:
    assert docker.process is not None
    with checked_fleet(folder, docker.host) as (one, arrivals):
        middle = time.monotonic()
        docker.process.send_signal(signal.SIGSTOP)
        try:
            for number in range(10):
                path = f"/api/services/s{number}/restart"
                threading.Thread(target=one.request, args=(path, "POST"), kwargs={"x_api_key": KEY}).start()
            time.sleep(10)
            end = time.monotonic()
        finally:
            docker.process.send_signal(signal.SIGCONT)
    print(f"{SERVICES} checks a second off their second: {percentiles(deviations(arrivals, middle - 10, middle))}")
    print(f"the same while Docker hangs: {percentiles(deviations(arrivals, middle, end))}")


def but_for_logs(docker: Engine, is_hanging: threading.Event) -> Callable[[socket.socket], None]:
    """Pass everything on, and while Docker hangs only logs."""

    def speak(client: socket.socket) -> None:
        asked = b""
        with socket.socket(socket.AF_UNIX) as daemon:
            daemon.connect(docker.host.removeprefix("unix://"))

            def back() -> None:
                with contextlib.suppress(OSError):
                    while data := daemon.recv(65536):
                        if b"/logs?" not in asked and is_hanging.is_set():
                            return
                        client.sendall(data)

            threading.Thread(target=back, daemon=True).start()
            while data := client.recv(65536):
                asked = data.partition(b"\r\n")[0]
                daemon.sendall(data)

    return speak


def all_at_once(docker: Engine, folder: Path) -> None:
    """Docker hangs, ten restarts wait for it, twenty jobs print and are followed, and so are the logs of five."""
    for number in range(TALKERS):
        talk = "while true; do echo a line of a log; sleep 0.05; done"
        docker.docker("run", "-d", "--network", "host", "--name", f"s{number}", "fks/box", "sh", "-c", talk)
    path = compose_stub(folder, push=PRINTS_ON)
    is_hanging = threading.Event()
    with (
        Between(folder / "between.sock", but_for_logs(docker, is_hanging)) as between,
        checked_fleet(folder, between.host, PATH=path) as (one, arrivals),
    ):
        middle = time.monotonic()
        query = "&".join(f"service=s{number}" for number in range(TALKERS))
        jobs = [begin_job(one, f"p{number}") for number in range(20)]
        paths = [f"/api/logs?follow=true&{query}"] * 10 + [f"/api/jobs/{job_id}/output" for job_id in jobs]
        read = [0] * len(paths)
        for number, each in enumerate(paths):
            threading.Thread(target=follow, args=(one.address + each, read, number), daemon=True).start()
        wait_for(lambda: all(read))
        is_hanging.set()
        for number in range(TALKERS, TALKERS + 10):
            asked = (f"/api/services/s{number}/restart", "POST")
            threading.Thread(target=one.request, args=asked, kwargs={"x_api_key": KEY}, daemon=True).start()
        time.sleep(3)
        begun, lines = time.monotonic(), sum(read)
        time.sleep(10)
        rate, end = (sum(read) - lines) / (time.monotonic() - begun), time.monotonic()
        running = sum(job["state"] == "running" for job in json.loads(one.request("/api/jobs", x_api_key=KEY)[2]))
        is_absent = json.loads(one.request("/api/status", x_api_key=KEY)[2])["docker_version"] is None
    print(f"{SERVICES} checks a second off their second: {percentiles(deviations(arrivals, middle - 10, middle))}")
    assert is_absent
    load = f"{running} jobs run, and 10 read {TALKERS} logs ({rate:.0f} lines a second in all)"
    print(f"the same while Docker hangs, {load}: {percentiles(deviations(arrivals, middle, end))}")


def begin_job(one: Monitor, project: str) -> str:
    body = {"action": "push", "project": project, "wait": False}
    return str(json.loads(one.request("/api/compose", "POST", body, x_api_key=KEY)[2])["job_id"])


def follow(address: str, read: list[int], number: int) -> None:
    """Count lines until the end of what is followed, or of the monitor."""
    request = urllib.request.Request(address, headers={"x-api-key": KEY})
    with (
        contextlib.suppress(OSError, http.client.HTTPException),
        urllib.request.urlopen(request, timeout=60) as live,
    ):
        for _ in live:
            read[number] += 1


FLOOD = """
import socket, sys, threading, time
host, port, path, seconds = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
request = (f"POST {path} HTTP/1.1\\r\\nHost: {host}\\r\\nx-api-key: wrong\\r\\nContent-Length: 0\\r\\n\\r\\n").encode()
DEPTH = 32
total, slots = 0, []
def run(slot):
    with socket.create_connection((host, port)) as one:
        end, seen, rest = time.monotonic() + seconds, 0, b""
        one.sendall(request * DEPTH)
        while time.monotonic() < end:
            data = rest + one.recv(1 << 18)
            count = data.count(b"HTTP/1.1 4")
            rest = data[-9:] if not data.endswith(b"}") else b""
            rest = rest if b"HTTP/1.1 4" not in rest else b""
            seen += count
            one.sendall(request * count)
        slots.append(seen)
threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
begun = time.monotonic()
[t.start() for t in threads]; [t.join() for t in threads]
print(sum(slots) / (time.monotonic() - begun))
"""


def refuse(folder: Path, docker_host: str) -> None:
    with checked_fleet(folder, docker_host) as (one, arrivals):
        host, port = one.address.removeprefix("http://").split(":")
        middle = time.monotonic()
        command = [sys.executable, "-c", FLOOD, host, port, "/api/services/s0/restart", str(FLOOD_SECONDS)]
        rate = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        end = time.monotonic()
        assert one.request("/api/audit", x_api_key=KEY)[0] == 200
    print(f"refused requests: {rate:,.0f} a second")
    print(f"{SERVICES} checks a second off their second: {percentiles(deviations(arrivals, middle - 10, middle))}")
    print(f"the same meanwhile: {percentiles(deviations(arrivals, middle, end))}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--containers", type=int, default=100)
    parser.add_argument("--only", default="kill,restart,usage,hang,all,refuse")
    said = parser.parse_args()
    wanted = said.only.split(",")
    with tempfile.TemporaryDirectory() as name:
        if "refuse" in wanted:
            refuse(Path(name), f"unix://{name}/none.sock")
    if set(wanted) == {"refuse"}:
        return
    with docker_engine() as docker, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts: dict[str, Callable[[], None]] = {
            "kill": lambda: kills(docker, folder),
            "restart": lambda: restarts(docker, folder),
            "hang": lambda: hang(docker, folder),
            "all": lambda: all_at_once(docker, folder),
            "usage": lambda: usage(docker, said.containers),
        }
        for part, run in parts.items():
            if part in wanted:
                run()
                docker.remove_everything()


if __name__ == "__main__":
    main()
