"""Measures jobs through a running monitor: the way of a line to a client, what a flood of output costs, and whether
checks stay on time while twenty jobs print and are followed.

    .venv/bin/python -m bench.jobs [--mebibytes 1024]

A stand-in for `docker` prints; everything else is real. Bars: line to client p99 at most 100 ms; 1 GiB of output costs
at most 20 MB of memory, and no answer of the monitor takes longer than 100 ms meanwhile; lateness of checks p99
unchanged within 20 ms.
"""

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from tests.compose_stub import compose_stub
from tests.process import Monitor, monitor

PRINTS_THE_TIME = """
for _ in range(1000):
    print(time.time())
    time.sleep(0.005)
"""
PRINTS_ON = """
for _ in range(150):
    print("line")
    time.sleep(0.1)
"""
FLOODS = """
block = (b"x" * 99 + b"\\n") * 10485
for _ in range({mebibytes}):
    os.write(1, block)
"""


def post(one: Monitor, **body: object) -> dict[str, object]:
    return json.loads(one.request("/api/compose", "POST", body)[2])


def line_delays(one: Monitor) -> list[float]:
    job_id = post(one, action="build", wait=False)["job_id"]
    with urllib.request.urlopen(f"{one.address}/api/jobs/{job_id}/output", timeout=60) as live:
        return sorted(time.time() - float(line) for line in live)


def memory(one: Monitor, field: str) -> float:
    lines = Path(f"/proc/{one.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def flood(one: Monitor) -> tuple[float, float, float, int]:
    """Return seconds, MB of growth at the highest, the slowest of the answers meanwhile in ms, bytes followed."""
    before = memory(one, "VmRSS")
    begun = time.monotonic()
    job_id = str(post(one, action="pull", wait=False)["job_id"])
    followed = 0

    def follow() -> None:
        nonlocal followed
        with urllib.request.urlopen(f"{one.address}/api/jobs/{job_id}/output", timeout=600) as live:
            while piece := live.read(1 << 16):
                followed += len(piece)

    reader = threading.Thread(target=follow)
    reader.start()
    highest, slowest = before, 0.0
    while one.get(f"/api/jobs/{job_id}")["state"] == "running":
        asked = time.monotonic()
        one.request("/health")
        slowest = max(slowest, time.monotonic() - asked)
        highest = max(highest, memory(one, "VmRSS"))
        time.sleep(0.01)
    seconds = time.monotonic() - begun
    reader.join()
    return seconds, max(highest, memory(one, "VmRSS")) - before, slowest * 1000, followed


TARGET = """
import asyncio, sys, time
async def handle(reader, writer):
    at, name = time.monotonic(), (await reader.readuntil(b"\\r\\n\\r\\n")).split()[1].decode()
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok")
    print(name, at, flush=True)
    writer.close()
async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
SERVICES = 50


def deviations(arrivals: list[tuple[str, float]], begin: float, end: float) -> list[float]:
    """Return how far from a second each check came after the one before it, in ms, sorted."""
    last: dict[str, float] = {}
    found = []
    for name, at in arrivals:
        if name in last and begin <= at <= end:
            found.append(abs(at - last[name] - 1) * 1000)
        last[name] = at
    return sorted(found)


def follow(address: str, job_id: object) -> None:
    """Read until the end of the job, or of the monitor."""
    with (
        suppress(OSError, http.client.HTTPException),
        urllib.request.urlopen(f"{address}/api/jobs/{job_id}/output", timeout=60) as live,
    ):
        live.read()


def lateness(folder: Path, path: str) -> None:
    arrivals: list[tuple[str, float]] = []
    with subprocess.Popen([sys.executable, "-c", TARGET], stdout=subprocess.PIPE, text=True) as target:
        assert target.stdout is not None
        port = target.stdout.readline().strip()
        config = "".join(
            f'[[services]]\nid = "s{number}"\nhealth_endpoint = "http://127.0.0.1:{port}/s{number}"\n'
            "interval_seconds = 1\n"
            for number in range(SERVICES)
        )
        (folder / "fleet.toml").write_text(config)

        def read() -> None:
            for line in target.stdout or ():
                name, at = line.split()
                arrivals.append((name, float(at)))

        threading.Thread(target=read, daemon=True).start()
        with monitor("--config", "fleet.toml", folder=folder, PATH=path) as one:
            time.sleep(14)
            middle = time.monotonic()
            jobs = [post(one, action="push", project=f"p{number}", wait=False)["job_id"] for number in range(20)]
            for job_id in jobs:
                threading.Thread(target=follow, args=(one.address, job_id), daemon=True).start()
            time.sleep(9)
            running = sum(job["state"] == "running" for job in one.get("/api/jobs"))
            end = time.monotonic()
        target.terminate()
    for name, found in (
        ("idle", deviations(arrivals, middle - 10, middle)),
        (f"{running} jobs", deviations(arrivals, middle + 3, end)),
    ):
        p50, p99 = found[len(found) // 2], found[len(found) * 99 // 100]
        print(f"{SERVICES} checks a second, {name}: off their second p50 {p50:.1f} ms, p99 {p99:.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mebibytes", type=int, default=1024)
    mebibytes = parser.parse_args().mebibytes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        floods = FLOODS.format(mebibytes=mebibytes)
        path = compose_stub(folder, build=PRINTS_THE_TIME, push=PRINTS_ON, pull=floods)
        (folder / "monitor.toml").write_text('[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n')
        with monitor("--config", "monitor.toml", folder=folder, PATH=path) as one:
            delays = [delay * 1000 for delay in line_delays(one)]
            print(
                f"line to client: p50 {delays[len(delays) // 2]:.1f} ms, p99 {delays[len(delays) * 99 // 100]:.1f} ms"
            )
            seconds, growth, slowest, followed = flood(one)
            kept = sum(file.stat().st_size for file in folder.glob("data/jobs/*/*.output"))
        lateness(folder, path)
    print(
        f"{mebibytes} MiB of output in {seconds:.1f} s: memory +{growth:.1f} MB, slowest answer {slowest:.0f} ms, "
        f"{followed >> 20} MiB followed, {kept >> 20} MiB kept on disk"
    )


if __name__ == "__main__":
    main()
