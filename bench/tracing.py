"""What tracing every check costs: CPU of all threads per check, the sending included, above the same check untraced.

    .venv/bin/python -m bench.tracing [--checks 20000]

The collector is a process of its own. Bars: at most 60 µs with every check traced; off: nothing.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from fks_master.app.traced import traced_tell
from fks_master.clock import SystemClock
from fks_master.model import Outcome, Result, Service
from fks_master.model.result import Phases
from fks_master.scheduler.loop import Tell
from fks_master.tracing import NoTracer, Tracer
from fks_master.tracing.otlp import OtlpTracer

SINK = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Sink(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
print(server.server_port, flush=True)
server.serve_forever()
"""
A_SECOND = 2000  # checks
ROUNDS = 3
PHASES = Phases(dns=0.001, connect=0.001, first_byte=0.004, transfer=0.0001)
FOUND = Result("fks_api", Outcome.SUCCESS, datetime.now(UTC), 0.01, phases=PHASES, status_code=200)
SERVICE = Service("fks_api", "FKS API", "http://127.0.0.1:8000/health")


def answer(_: Service, answered: Callable[[Result | Exception], None]) -> bool:
    answered(FOUND)
    return True


async def cost(ask: Tell, checks: int) -> float:
    """Return µs of CPU per check, asked in bursts of a hundred."""
    before = time.process_time()
    for _ in range(checks // 100):
        for _ in range(100):
            ask(SERVICE, id)
        await asyncio.sleep(100 / A_SECOND / 4)
    await asyncio.sleep(2.5)  # for the exporter
    return (time.process_time() - before) / checks * 1e6


async def above(tracer: Tracer, checks: int) -> float:
    traced = traced_tell(answer, tracer)
    return statistics.median([await cost(traced, checks) - await cost(answer, checks) for _ in range(ROUNDS)])


async def main(checks: int) -> None:
    off = traced_tell(answer, NoTracer())
    print("| what | measured | bar |\n|---|---|---|")
    print(f"| tracing off | {'0 µs: the untraced function itself' if off is answer else 'MORE'} | 0 |")
    with subprocess.Popen([sys.executable, "-c", SINK], stdout=subprocess.PIPE, text=True) as sink:  # noqa: ASYNC220
        port = sink.stdout.readline().strip()
        cases = [
            ("every check traced and sent", f"http://127.0.0.1:{port}", 1.0, "60 µs"),
            ("one check in a hundred", f"http://127.0.0.1:{port}", 0.01, ""),
            ("every check traced, the collector is dead", "http://127.0.0.1:1", 1.0, "60 µs"),
        ]
        for name, address, ratio, bar in cases:
            tracer = OtlpTracer(address, "bench", ratio, SystemClock())
            print(f"| {name} | {await above(tracer, checks):.1f} µs | {bar} |", flush=True)
            tracer.close(10)
        sink.terminate()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=20_000)
    asyncio.run(main(parser.parse_args().checks))
