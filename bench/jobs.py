"""Measures jobs through a running monitor: the way of a line to a client, and what a flood of output costs.

    .venv/bin/python -m bench.jobs [--mebibytes 1024]

A stand-in for `docker` prints; everything else is real. Bars: line to client p99 at most 100 ms; 1 GiB of output costs
at most 20 MB of memory, and no answer of the monitor takes longer than 100 ms meanwhile.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from tests.process import Monitor, monitor

DOCKER = """#!{python} -u
import os, sys, time
said = " ".join(sys.argv[1:])
if said == "compose version --short":
    print("2.26.1")
elif "config --format json" in said:
    print('{{"name":"shop","services":{{}}}}')
elif " build --" in said:
    for _ in range(1000):
        print(time.time())
        time.sleep(0.005)
elif " pull --" in said:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mebibytes", type=int, default=1024)
    mebibytes = parser.parse_args().mebibytes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "docker").write_text(DOCKER.format(python=sys.executable, mebibytes=mebibytes))
        (folder / "docker").chmod(0o755)
        (folder / "compose.yaml").write_text("services: {}\n")
        (folder / "monitor.toml").write_text('[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n')
        path = f"{folder}:{os.environ['PATH']}"
        with monitor("--config", "monitor.toml", folder=folder, PATH=path) as one:
            delays = [delay * 1000 for delay in line_delays(one)]
            print(
                f"line to client: p50 {delays[len(delays) // 2]:.1f} ms, p99 {delays[len(delays) * 99 // 100]:.1f} ms"
            )
            seconds, growth, slowest, followed = flood(one)
            kept = sum(file.stat().st_size for file in folder.glob("data/jobs/*/*.output"))
    print(
        f"{mebibytes} MiB of output in {seconds:.1f} s: memory +{growth:.1f} MB, slowest answer {slowest:.0f} ms, "
        f"{followed >> 20} MiB followed, {kept >> 20} MiB kept on disk"
    )


if __name__ == "__main__":
    main()
