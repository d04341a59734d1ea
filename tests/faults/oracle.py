"""The oracle: a ledger owns the targets and knows each real change, a collector what was told, and here it is judged.

1. No real state that lasted long enough, while the monitor ran, is missing from what was told.
2. A repeat has the id of what it repeats, and there are no more of them than kills.
3. Nothing is told without a cause in the ledger.
4. Of a service, down and up are told in turn, beginning with down.
5. The database is sound.
"""

import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from fks_master.storage import care

LATE_SECONDS = 10.0  # how long after the end of a state it may still be told: delivery, on a machine that is busy


class Period(NamedTuple):
    """One real state of a target; `ended` is infinite while it lasts."""

    name: str
    is_up: bool
    began: float
    ended: float


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Ledger:
    """Targets behind one address, a path each. All are up in the beginning."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self.is_up = dict.fromkeys(names, True)
        self._changes = [(time.time(), name, True) for name in names]
        self.asked: dict[str, list[float]] = {name: [] for name in names}

    def set(self, name: str, *, is_up: bool) -> None:
        if self.is_up[name] is not is_up:
            self.is_up[name] = is_up
            self._changes.append((time.time(), name, is_up))

    def periods(self) -> Iterator[Period]:
        for name in self.names:
            changes = [(at, is_up) for at, each, is_up in self._changes if each == name]
            ends = [at for at, _ in changes[1:]] + [float("inf")]
            for (began, is_up), ended in zip(changes, ends, strict=True):
                yield Period(name, is_up, began, ended)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        ledger = self

        class Target(_Quiet):
            def do_GET(self) -> None:
                ledger.asked[self.path.strip("/")].append(time.monotonic())
                self.answer(200 if ledger.is_up[self.path.strip("/")] else 503)

        return Target

    def config(self, address: str, interval: float) -> str:
        return "".join(
            f'[[services]]\nid = "{name}"\nhealth_endpoint = "{address}/{name}"\ninterval_seconds = {interval}\n'
            "expected_response_time_ms = 10000\n"  # a machine that is busy does not count
            for name in self.names
        )


class Told(NamedTuple):
    at: float
    id: str
    kind: str
    name: str


class Collector:
    """Takes webhooks. `on_post` may strike before the answer, which is then never given if it says so."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.before_answer: Callable[[], None] = lambda: None
        self.after_answer: Callable[[], None] = lambda: None

    def take(self, body: dict[str, Any]) -> None:
        for one in body.get("events") or [body]:
            if one["event_type"] in {"ServiceDown", "ServiceUp"}:
                self.told.append(Told(time.time(), one["id"], one["event_type"], one["service_id"]))

    @property
    def distinct(self) -> list[Told]:
        return list({one.id: one for one in reversed(self.told)}.values())[::-1]

    def handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Hook(_Quiet):
            def do_POST(self) -> None:
                collector.take(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                collector.before_answer()
                self.answer(200)
                self.wfile.flush()
                collector.after_answer()

        return Hook


class Runs:
    """When the monitor was up and watching."""

    def __init__(self) -> None:
        self.began: list[float] = []
        self.ended: list[float] = []

    def begin(self) -> None:
        self.began.append(time.time())

    def end(self) -> None:
        self.ended.append(time.time())

    def longest_within(self, began: float, ended: float) -> float:
        """How long one run saw of it."""
        ends = self.ended + [time.time()] * (len(self.began) - len(self.ended))
        return max(min(ended, stop) - max(began, start) for start, stop in zip(self.began, ends, strict=True))


def assert_oracle_holds(ledger: Ledger, collector: Collector, runs: Runs, bound: float, kills: int) -> None:
    told = collector.distinct
    missing = [one for one in _to_be_told(ledger, runs, bound) if not _is_known(one, told)]
    assert missing == [], f"{missing} not in {told}"
    repeats = {key: count - 1 for key, count in Counter(one.id for one in collector.told).items() if count > 1}
    assert sum(repeats.values()) <= kills, repeats
    causes = list(ledger.periods())
    assert [one for one in told if not any(_tells(one, cause) for cause in causes)] == []
    for name in ledger.names:
        kinds = [one.kind for one in told if one.name == name]
        expected = (["ServiceDown", "ServiceUp"] * len(kinds))[: len(kinds)]
        assert kinds == expected, [one for one in collector.told if one.name == name]


def _to_be_told(ledger: Ledger, runs: Runs, bound: float) -> Iterator[Period]:
    """Every state that was long enough; of those up, the ones that end a state that had to be told."""
    before: Period | None = None
    for period in ledger.periods():
        if before is None or before.name != period.name:
            before = None
        is_long = runs.longest_within(period.began, period.ended) >= bound
        if is_long and (not period.is_up or (before is not None and before.ended - before.began >= bound)):
            yield period
        before = period


def _is_known(period: Period, told: Sequence[Told]) -> bool:
    """Whether it was told, or people knew it already: of a blip between two runs nobody can know."""
    before = [one.kind for one in told if one.name == period.name and one.at < period.began]
    last = before[-1] if before else "ServiceUp"
    return last == _kind(period) or any(_tells(one, period) for one in told)


def _kind(period: Period) -> str:
    return "ServiceUp" if period.is_up else "ServiceDown"


def _tells(one: Told, period: Period) -> bool:
    return (one.name, one.kind) == (
        period.name,
        _kind(period),
    ) and period.began <= one.at <= period.ended + LATE_SECONDS


def assert_sound(path: Path) -> None:
    """The file, and what it tells: numbers and moments in order, incidents one after the other."""
    assert care.check(path) == []
    with closing(sqlite3.connect(path)) as connection:
        incidents = connection.execute(
            "SELECT service_id, started_ms, ended_ms FROM incidents ORDER BY service_id, number"
        ).fetchall()
    for (name, _, ended), (following, started, _) in pairwise(incidents):
        assert name != following or (ended is not None and ended <= started)
