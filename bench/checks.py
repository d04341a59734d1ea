"""Measures what a check costs, beside monit and blackbox_exporter on the same targets; memory, start and first look.

    .venv/bin/python -m bench.checks

Absolute times on shared machines mean little: read the ratios. The targets are the demo fleet in a process of its own.
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.stage import remembering
from tests.process import Fleet, Monitor, fleet, monitor, wait_for
from tests.tools import tool

TICKS = os.sysconf("SC_CLK_TCK")
SERVICES = 500
SECONDS = 10.0


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def megabytes(process: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def cost(process: int, targets: Fleet, during: Callable[[], None]) -> float:
    """Microseconds of CPU that the process spends for each request that the targets see."""
    requests, cpu = targets.requests, cpu_seconds(process)
    during()
    return (cpu_seconds(process) - cpu) * 1e6 / max(1, targets.requests - requests)


def addresses(targets: Fleet) -> list[str]:
    return re.findall(r'health_endpoint = "(.*)"', targets.config.read_text())


def ours(*, is_reused: bool) -> float:
    with fleet(SERVICES, interval=1.0) as targets, tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "monitor.toml")
        text = Path(remembering(targets)).read_text()
        reuse = "\n[services.http]\nreuse_connection = true\n" if is_reused else ""
        config.write_text(re.sub(r"(\n\[\[services\]\])", rf"{reuse}\1", text) + reuse if is_reused else text)
        if is_reused:
            config.write_text(config.read_text().replace(reuse, "", 1))
        with monitor("--config", str(config)) as one:
            time.sleep(4)
            return cost(one.process.pid, targets, lambda: time.sleep(SECONDS))


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[int]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def blackbox() -> float:
    port = 19115
    with fleet(SERVICES) as targets, tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "blackbox.yml")
        config.write_text(
            "modules:\n  up:\n    prober: http\n    timeout: 5s\n    http: {preferred_ip_protocol: ip4}\n"
        )
        program = tool("prometheus-blackbox-exporter", "prometheus-blackbox-exporter")
        command = [program, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"]
        with running(command) as process:
            asked = [f"http://127.0.0.1:{port}/probe?module=up&target={one}" for one in addresses(targets)]
            wait_for(lambda: answers(asked[0]))

            def ask(share: list[str]) -> None:
                for one in share:
                    urllib.request.urlopen(one).read()

            def drive() -> None:
                threads = [threading.Thread(target=ask, args=(asked[start::4] * 4,)) for start in range(4)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()

            return cost(process, targets, drive)


def answers(url: str) -> bool:
    with contextlib.suppress(OSError):
        return urllib.request.urlopen(url).status == 200
    return False


def monit() -> float:
    with fleet(SERVICES) as targets, tempfile.TemporaryDirectory() as folder:
        lines = [
            "set daemon 1",
            f"set idfile {folder}/id",
            f"set statefile {folder}/state",
            f"set pidfile {folder}/pid",
        ]
        for number, address in enumerate(addresses(targets)):
            _, _, host, path = re.split(r"/", address, maxsplit=3)
            port = host.partition(":")[2]
            lines.append(
                f"check host h{number} with address 127.0.0.1\n"
                f'  if failed port {port} protocol http request "/{path}" with timeout 5 seconds then alert'
            )
        config = Path(folder, "monitrc")
        config.write_text("\n".join(lines) + "\n")
        config.chmod(0o600)
        with running([tool("monit", "monit"), "-I", "-c", str(config)]) as process:
            wait_for(lambda: targets.requests > SERVICES)
            return cost(process, targets, lambda: time.sleep(SECONDS))


@contextlib.contextmanager
def as_deployed() -> Iterator[None]:
    """Run monitors with what an installation has: some libraries load tools where they find them."""
    ours = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([ours, "-m", "venv", folder], check=True)
        pip = [f"{folder}/bin/pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--require-hashes", "-r", "requirements/run.txt"], check=True)
        packages = next(Path(folder, "lib").glob("python*/site-packages"))
        (packages / "fks_master.pth").write_text(str(Path("src").absolute()))
        sys.executable = f"{folder}/bin/python"
        try:
            yield
        finally:
            sys.executable = ours


def memory(size: int) -> float:
    with fleet(size, interval=5.0) as targets, monitor("--config", remembering(targets)) as one:
        wait_for(lambda: is_complete(one, size))
        time.sleep(6)
        return megabytes(one.process.pid)


def is_complete(one: Monitor, size: int) -> bool:
    return sum(each["last_check"] is not None for each in one.get("/api/services")) == size


def first_look(size: int) -> float:
    """Seconds from the process start to the last first look."""
    with fleet(size, interval=60.0) as targets:
        begun = time.time()
        with monitor("--config", remembering(targets)) as one:
            wait_for(lambda: is_complete(one, size))
            last = max(each["last_check"] for each in one.get("/api/services"))
        return time.mktime(time.strptime(last[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone + float(last[19:-1]) - begun


def start() -> float:
    with fleet(12) as targets:
        begun = time.monotonic()
        with monitor("--config", remembering(targets)) as one:
            one.request("/health")
            return time.monotonic() - begun


def main() -> None:
    rows: list[tuple[str, str, str]] = []
    new, reused, beside, tower = ours(is_reused=False), ours(is_reused=True), monit(), blackbox()
    rows += [
        ("CPU per check, new connection", f"{new:.0f} µs", f"{new / beside:.2f} × monit ({beside:.0f} µs), bar 1.4"),
        ("the same", "", f"{new / tower:.2f} × blackbox_exporter ({tower:.0f} µs), bar 0.2"),
        ("CPU per check, connection reused", f"{reused:.0f} µs", f"{reused / beside:.2f} × monit, bar 0.7"),
    ]
    with as_deployed():
        small, large = memory(12), memory(1012)
    rows += [
        ("memory, 12 services", f"{small:.1f} MB", "bar 48"),
        ("memory per further service", f"{(large - small) * 1024 / 1000:.1f} kB", "bar 10"),
        ("start to /health", f"{start():.2f} s", "bar 0.6"),
        ("first look at 1,000 services, batch_size 100", f"{first_look(1000):.2f} s", "bar 1.2"),
    ]
    print("| what | measured | beside |\n|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
