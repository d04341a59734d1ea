"""Measures how alerts travel: from a failed check to the webhook, a storm, and what kills cost.

    .venv/bin/python -m bench.alerts [--seconds 60] [--outage 90] [--kills 15]

Targets and webhook live in this process, the monitor in one of its own, with SQLite and all defaults. Bars: failed
check that crosses the threshold to webhook received p99 at most 250 ms; a receiver that was away knows everything, in
order, within 60 s of its return; 1,000 services that fail at once: one grouped
notification a receiver after the first, loop lag at most 100 ms; nothing lost, at most one repeat a kill.
"""

import argparse
import asyncio
import json
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults import test_r2_random_kills as kills
from tests.process import Monitor, monitor, wait_for
from tests.tower import receivers, tables

THRESHOLD = 2


class World:
    """Answers health checks and takes webhooks, on an event loop in a thread. `is_bad` decides a check's answer."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.crossed: dict[tuple[str, int], float] = {}
        self.told: list[tuple[float, str, list[dict[str, Any]]]] = []
        self.everything_fails = False
        self.rounds = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()

    def is_bad(self, name: str) -> bool:
        """In rounds: `rounds` checks well, then as many bad; the second bad one crosses the threshold."""
        number = self.asked[name]
        self.asked[name] += 1
        if not self.rounds:
            return self.everything_fails
        cycle, place = divmod(number, 2 * self.rounds)
        if place == self.rounds + THRESHOLD - 1:
            self.crossed[name, cycle] = time.monotonic()
        return place >= self.rounds

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                method, path, _ = head.split(b"\r\n", 1)[0].decode().split()
                status = "200 OK"
                if method == "POST":
                    await self._take(reader, head, path)
                elif self.is_bad(path[1:]):
                    status = "500 Internal"
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()

    async def _take(self, reader: asyncio.StreamReader, head: bytes, path: str) -> None:
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
        body = json.loads(await reader.readexactly(length))
        self.told.append((time.monotonic(), path, body.get("events") or [body]))

    @contextmanager
    def running(self) -> Iterator[None]:
        async def serve() -> None:
            server = await asyncio.start_server(self.handle, "127.0.0.1", 0, limit=2**24, backlog=4096)
            self.port = server.sockets[0].getsockname()[1]
            self._ready.set()
            await self._over.wait()
            server.close()

        self._over = asyncio.Event()
        thread = threading.Thread(target=self._loop.run_until_complete, args=(serve(),), daemon=True)
        thread.start()
        self._ready.wait()
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._over.set)
            thread.join()

    def config(self, folder: Path, services: int, interval: float) -> str:
        address = f"http://127.0.0.1:{self.port}"
        path = folder / "monitor.toml"
        entries = "".join(
            f'[[services]]\nid = "s{number}"\nhealth_endpoint = "{address}/s{number}"\n' for number in range(services)
        )
        receivers = "".join(f'[[alerts.receivers]]\nname = "{n}"\nurl = "{address}/{n}"\n' for n in ("one", "two"))
        path.write_text(
            f"[monitoring]\ncheck_interval_seconds = {interval}\nbatch_size = 100\nretry_attempts = 1\n"
            f"[alerts]\nconsecutive_failures_threshold = {THRESHOLD}\n{receivers}{entries}"
        )
        return str(path)


def way(seconds: float) -> None:
    world = World()
    world.rounds = 4  # longer than the threshold, so that nothing counts as flapping
    with tempfile.TemporaryDirectory() as name, world.running():
        with monitor("--config", world.config(Path(name), 8, 0.5), folder=Path(name)):
            time.sleep(seconds)
        crossed = dict(world.crossed)
    delays = []
    cycles: Counter[str] = Counter()
    for at, receiver, events in sorted(world.told, key=lambda told: told[0]):
        for event in events:
            if receiver == "/one" and event["event_type"] == "ServiceDown":
                service = event["service_id"]
                delays.append(at - crossed[service, cycles[service]])
                cycles[service] += 1
    delays.sort()
    p50, p99 = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
    figures = f"median {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, longest {delays[-1] * 1000:.0f} ms"
    print(f"failed check to webhook received, {len(delays)} alerts: {figures} (bar p99 250)")


def storm(services: int = 1000) -> None:
    world = World()
    with tempfile.TemporaryDirectory() as name, world.running():
        with monitor("--config", world.config(Path(name), services, 2), folder=Path(name)) as one:
            wait_for(lambda: one.get("/api/metrics")["healthy_services"] == services, 60)
            world.everything_fails = True
            lag = watch_lag(one, lambda: told_of(world, "/one") >= services and told_of(world, "/two") >= services)
        for receiver in ("/one", "/two"):
            sizes = [len(events) for _, path, events in world.told if path == receiver]
            print(f"{services} services fail at once: {receiver[1:]} got {len(sizes)} messages of {sizes} events")
        print(f"longest loop lag meanwhile {lag * 1000:.0f} ms (bar 100)")


def told_of(world: World, receiver: str) -> int:
    return len({event["service_id"] for _, path, events in world.told if path == receiver for event in events})


def watch_lag(one: Monitor, is_over: Callable[[], bool]) -> float:
    """Ask the monitor how late its loop is, and take how long a tiny answer took where that was longer."""
    longest, deadline = 0.0, time.monotonic() + 60
    while not is_over() and time.monotonic() < deadline:
        began = time.monotonic()
        lag = one.get("/api/status")["loop_lag_seconds"]
        longest = max(longest, lag, time.monotonic() - began)
        time.sleep(0.01)
    return longest


def add(config: str, text: str) -> None:
    with Path(config).open("a", encoding="utf-8") as file:
        file.write(text)


async def outage(config: str, folder: Path, seconds: float) -> None:
    """Let receivers refuse, hang, fail and ask to be left alone; then see how soon they know what a well one knows."""
    modes = {"refuses": "refuse", "hangs": "hang", "fails": "500", "slowly": "429"}
    async with receivers(well="ok", **modes) as made:
        add(config, tables(made))
        with monitor("--config", config, folder=folder):
            await asyncio.sleep(seconds)
            known = {number for number, _, _ in made["well"].events}
            back = time.monotonic()
            await made["refuses"].open()
            for name in modes:
                made[name].mode = "ok"
            for name in modes:
                await made[name].until(len(known), 120)
                took = time.monotonic() - back
                told = [int(number) for number, _, _ in made[name].events]
                is_good = told == sorted(set(told)) and known <= {str(number) for number in told}
                figures = f"{len(told)} events {'in order' if is_good else 'OUT OF ORDER'} after {took:.1f} s"
                print(f"away for {seconds:.0f} s, a receiver that {name}: {figures} (bar 60)")


def killed(count: int) -> None:
    kills.KILLS = count
    told: list[kills.Collector] = []

    class Noted(kills.Collector):
        def __init__(self) -> None:
            super().__init__()
            told.append(self)

    kills.Collector, known = Noted, kills.Collector
    try:
        with tempfile.TemporaryDirectory() as name:
            kills.test_killed_at_random(Path(name))
    finally:
        kills.Collector = known
    repeats = len(told[0].told) - len(told[0].distinct)
    figures = f"{len(told[0].distinct)} events told, 0 lost, {repeats} repeated"
    print(f"{count} kills while 8 services flap: {figures} (bar 1 a kill)")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--outage", type=float, default=90)
    parser.add_argument("--kills", type=int, default=15)
    said = parser.parse_args()
    way(said.seconds)
    storm()
    world = World()
    world.rounds = 4
    with tempfile.TemporaryDirectory() as name, world.running():
        asyncio.run(outage(world.config(Path(name), 8, 0.5), Path(name), said.outage))
    killed(said.kills)


if __name__ == "__main__":
    main()
