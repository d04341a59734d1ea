"""R9: PostgreSQL black-holed, killed, out of connections: checks and alerts go on, and nothing has to be restarted."""

import asyncio
import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from tests.faults.oracle import Collector, Ledger, serving
from tests.postgres import Cluster, cluster
from tests.process import Monitor, monitor, wait_for

from fks_master.errors import StoreUnavailableError
from fks_master.storage import Query
from fks_master.storage.postgres import Postgres

LATEST_SECONDS = 5.0  # between two checks of one target; a monitor that waited for the store would need ten and more
ONE = Query.parse("one", "SELECT 1 AS one")


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as one:
        yield one


class BlackHole:
    """A proxy that forwards until told to swallow: then connections are still accepted, and nothing comes through."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._is_open = threading.Event()
        self._is_open.set()
        self._sockets: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def swallow(self) -> None:
        self._is_open.clear()

    def forward(self) -> None:
        self._is_open.set()

    def close(self) -> None:
        self._is_open.set()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._is_open.wait()
        with contextlib.suppress(OSError):
            upstream = socket.create_connection(("127.0.0.1", self._port))
            self._sockets.append(upstream)
            threading.Thread(target=self._pump, args=(upstream, client), daemon=True).start()
            self._pump(client, upstream)

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                self._is_open.wait()
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


def latest(ledger: Ledger, since: float) -> float:
    moments = [[at for at in times if at >= since] for times in ledger.asked.values()]
    return max(later - earlier for times in moments for earlier, later in pairwise([since, *times, time.monotonic()]))


def told(collector: Collector) -> list[str]:
    return [one.kind for one in collector.distinct]


def down_and_up(ledger: Ledger, collector: Collector) -> None:
    """Have one target fail and recover, and people told of it."""
    before = len(collector.distinct)
    ledger.set("s0", is_up=False)
    wait_for(lambda: told(collector)[before:] == ["ServiceDown"])
    ledger.set("s0", is_up=True)
    wait_for(lambda: told(collector)[before:] == ["ServiceDown", "ServiceUp"])


def is_failing(one: Monitor) -> bool:
    return bool(one.get("/api/status")["store_failing"])


def test_checks_and_alerts_go_on_while_it_is_silent_or_dead(server: Cluster, tmp_path: Path) -> None:
    ledger, collector = Ledger([f"s{number}" for number in range(10)]), Collector()
    hole = BlackHole(urlsplit(server.url).port or 0)
    url = f"postgresql://postgres@127.0.0.1:{hole.port}/postgres"
    with serving(ledger.handler()) as targets, serving(collector.handler()) as hook:
        head = f'[history]\nurl = "{url}"\n[alerts]\nwebhook_url = "{hook}/hook"\nconsecutive_failures_threshold = 2\n'
        services = ledger.config(targets, 0.3)
        (tmp_path / "monitor.toml").write_text(f"{head}[monitoring]\nretry_attempts = 1\n{services}")
        with monitor("--config", "monitor.toml", folder=tmp_path) as one:
            wait_for(lambda: all(each["status"] == "Healthy" for each in one.get("/api/services")))
            began = time.monotonic()
            hole.swallow()
            down_and_up(ledger, collector)
            wait_for(lambda: is_failing(one))
            down_and_up(ledger, collector)
            assert latest(ledger, began) < LATEST_SECONDS
            hole.forward()
            wait_for(lambda: not is_failing(one))
            server.stop()
            down_and_up(ledger, collector)
            server.start()
            wait_for(lambda: not is_failing(one))
            assert latest(ledger, began) < LATEST_SECONDS
            incidents = one.get("/api/incidents?service_id=s0")["incidents"]
            assert len(incidents) == 3
            assert all(each["ended_at"] for each in incidents)
            events = one.get("/api/events?service_id=s0&limit=1000")["events"]
            kinds = [each["event_type"] for each in reversed(events)]
            assert [kind for kind in kinds if kind in {"ServiceDown", "ServiceUp"}] == ["ServiceDown", "ServiceUp"] * 3
            assert one.stop() == 0
    hole.close()
    assert len(collector.told) == 6


def test_away_at_the_start_what_was_remembered_is_taken_up_when_it_comes_back(server: Cluster, tmp_path: Path) -> None:
    ledger, collector = Ledger(["bad", "well"]), Collector()
    with serving(ledger.handler()) as targets, serving(collector.handler()) as hook:
        head = f'[history]\nurl = "{server.url}"\n[alerts]\nwebhook_url = "{hook}/hook"\n'
        head += "consecutive_failures_threshold = 2\n[monitoring]\nretry_attempts = 1\n"
        (tmp_path / "monitor.toml").write_text(f"{head}{ledger.config(targets, 0.3)}")
        with monitor("--config", "monitor.toml", folder=tmp_path) as one:
            wait_for(lambda: one.status("bad") == "Healthy")
            ledger.set("bad", is_up=False)
            wait_for(lambda: told(collector) == ["ServiceDown"])
            [before] = one.get("/api/incidents?service_id=bad")["incidents"]
            seen = one.get("/api/events?service_id=bad")["events"]
            one.process.kill()
        server.stop()
        with monitor("--config", "monitor.toml", folder=tmp_path) as one:
            wait_for(lambda: one.status("bad") == "Unhealthy" and one.status("well") == "Healthy")
            server.start()
            wait_for(lambda: not is_failing(one))
            assert one.get("/api/incidents?service_id=bad")["incidents"] == [before]
            assert one.get("/api/events?service_id=bad")["events"] == seen
            ledger.set("bad", is_up=True)
            wait_for(lambda: told(collector) == ["ServiceDown", "ServiceUp"])
            wait_for(lambda: one.get("/api/incidents?service_id=bad")["incidents"][0]["ended_at"])
            assert one.stop() == 0


def test_of_two_that_begin_without_it_one_gives_way(server: Cluster, tmp_path: Path) -> None:
    server.stop()
    services = '[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n'
    (tmp_path / "monitor.toml").write_text(f'[history]\nurl = "{server.url}"\n{services}')
    config = ("--config", "monitor.toml")
    try:
        with monitor(*config, folder=tmp_path) as first, monitor(*config, folder=tmp_path) as second:
            pair = [first, second]
            wait_for(lambda: all(one.status("one") == "Unhealthy" for one in pair))
            server.start()
            gone = wait_for(lambda: [one for one in pair if one.process.poll() is not None])
            [left] = [one for one in pair if one not in gone]
            assert gone[0].process.returncode == 1
            assert "another FKS Master works on this database" in gone[0].log
            assert "Traceback" not in gone[0].log
            wait_for(lambda: not is_failing(left))
            assert left.stop() == 0
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            server.start()


async def test_without_a_free_connection_calls_end_and_later_ones_work(server: Cluster) -> None:
    database = Postgres(server.url, deadline_seconds=3)
    taken = []
    with contextlib.suppress(asyncpg.TooManyConnectionsError):
        while len(taken) < 500:
            taken.append(await asyncpg.connect(server.url, timeout=10))
    started = time.monotonic()
    with pytest.raises(StoreUnavailableError):
        await database.open()
    with pytest.raises(StoreUnavailableError):
        await database.fetch(ONE)
    assert time.monotonic() - started < 20
    await asyncio.gather(*(each.close() for each in taken))
    await database.open()
    assert (await database.fetch(ONE))[0]["one"] == 1
    await database.close()
