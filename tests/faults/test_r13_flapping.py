"""R13: a target that flaps is told once, as flapping; a state that lasts is told in any case."""

import itertools
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.integration.test_webhook import Receiver
from tests.process import monitor, wait_for

CHECKS = 60
INTERVAL = 0.1


class Target:
    """Answers by turns, `good` then `bad` times over, or always the same."""

    def __init__(self) -> None:
        self.turns: Iterator[bool] = itertools.cycle([True])
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if next(target.turns) else 503)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/"


@pytest.fixture
def target() -> Iterator[Target]:
    one = Target()
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.server.shutdown()
    one.server.server_close()


def config(folder: Path, target: Target, receiver: Receiver) -> Path:
    path = folder / "monitor.toml"
    path.write_text(
        f"[monitoring]\ncheck_interval_seconds = {INTERVAL}\ntimeout_seconds = 3\nretry_attempts = 1\n"
        f'[alerts]\nconsecutive_failures_threshold = 2\nwebhook_url = "{receiver.url}"\n'
        f'[history]\nurl = "sqlite::memory:"\n[[services]]\nid = "api"\nhealth_endpoint = "{target.address}"\n'
    )
    return path


def test_a_target_that_flaps_every_interval_is_told_once(target: Target, receiver: Receiver, tmp_path: Path) -> None:
    with monitor("--config", str(config(tmp_path, target, receiver)), folder=tmp_path) as one:
        wait_for(lambda: one.status("api") == "Healthy")
        target.turns = itertools.cycle([False, True])
        wait_for(lambda: receiver.events)
        so_far = one.get("/api/metrics")["total_requests"]
        wait_for(lambda: one.get("/api/metrics")["total_requests"] > so_far + CHECKS)
        assert receiver.events == [("ServiceFlapping", "api")]
        assert [each["event_type"] for each in one.get("/api/alerts")] == ["ServiceFlapping"]

        target.turns = itertools.cycle([False])
        wait_for(lambda: len(receiver.events) == 2)
        target.turns = itertools.cycle([True])
        wait_for(lambda: len(receiver.events) == 3)
        assert receiver.events[1:] == [("ServiceDown", "api"), ("ServiceUp", "api")]
        wait_for(lambda: one.get("/api/alerts") == [])


def test_states_that_cross_the_threshold_by_turns_are_damped(
    target: Target, receiver: Receiver, tmp_path: Path
) -> None:
    with monitor("--config", str(config(tmp_path, target, receiver)), folder=tmp_path) as one:
        wait_for(lambda: one.status("api") == "Healthy")
        target.turns = itertools.cycle([False, False, False, True, True, True])
        wait_for(lambda: ("ServiceFlapping", "api") in receiver.events)
        before = len(receiver.events)
        so_far = one.get("/api/metrics")["total_requests"]
        wait_for(lambda: one.get("/api/metrics")["total_requests"] > so_far + CHECKS)
        told = [kind for kind, _ in receiver.events]
        assert told.count("ServiceFlapping") == 1
        assert len(told) <= before + 1  # one that was on its way
        assert told.index("ServiceDown") == 0
