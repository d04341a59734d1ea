"""Alerts as a receiver gets them from a running monitor."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.process import Fleet, Monitor, fleet, monitor, wait_for


class Receiver:
    """Takes webhooks; `status` is what it answers."""

    def __init__(self) -> None:
        self.status = 200
        self.bodies: list[dict[str, Any]] = []
        self.tries = 0
        taken = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                taken.tries += 1
                if taken.status == 200:
                    taken.bodies.append(json.loads(body))
                self.send_response(taken.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is given
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def events(self) -> list[tuple[str, str | None]]:
        """What was told, in order, each once by its id."""
        each = [one for body in self.bodies for one in body.get("events") or [body]]
        return list({one["id"]: (one["event_type"], one["service_id"]) for one in each}.values())


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.server.shutdown()
    one.server.server_close()


Told = Callable[[Fleet, Receiver], Path]


def told(targets: Fleet, receiver: Receiver, folder: Path) -> Path:
    """Write a config that watches the fleet and tells the receiver after two failed checks."""
    config = folder / "monitor.toml"
    alerts = f'[alerts]\nwebhook_url = "{receiver.url}"\nconsecutive_failures_threshold = 2\n'
    config.write_text(alerts + targets.config.read_text())
    return config


def all_seen(one: Monitor) -> bool:
    return all(each["status"] == "Healthy" for each in one.get("/api/services"))


def test_down_and_up_are_told_once_each_with_what_is_needed(receiver: Receiver, tmp_path: Path) -> None:
    with fleet() as targets, monitor("--config", str(told(targets, receiver, tmp_path))) as one:
        wait_for(lambda: all_seen(one))
        targets.behave("fks_worker", "error")
        wait_for(lambda: receiver.events)
        body = receiver.bodies[0]
        assert (body["event_type"], body["service_id"], body["service_name"]) == (
            "ServiceDown",
            "fks_worker",
            "FKS Worker",
        )
        assert {"message", "timestamp", "data", "id"} <= body.keys()
        assert "HTTP 500" in body["message"]
        targets.behave("fks_worker", "ok")
        wait_for(lambda: len(receiver.events) == 2)
        assert receiver.events == [("ServiceDown", "fks_worker"), ("ServiceUp", "fks_worker")]
        assert receiver.tries == 2


def test_what_fails_because_another_is_down_tells_nothing_of_its_own(receiver: Receiver, tmp_path: Path) -> None:
    with fleet() as targets, monitor("--config", str(told(targets, receiver, tmp_path))) as one:
        wait_for(lambda: all_seen(one))
        targets.behave("fks_data", "error")
        wait_for(lambda: receiver.events)
        targets.behave("fks_api", "error")
        wait_for(lambda: {each["id"]: each["is_down"] for each in one.get("/api/services")}["fks_api"])
        targets.behave("fks_api", "ok")
        wait_for(lambda: one.status("fks_api") == "Healthy")
        targets.behave("fks_data", "ok")
        wait_for(lambda: ("ServiceUp", "fks_data") in receiver.events)
        assert {service for _, service in receiver.events} == {"fks_data"}


def test_nothing_is_lost_while_the_receiver_is_down_or_we_are_killed(receiver: Receiver, tmp_path: Path) -> None:
    receiver.status = 503
    with fleet() as targets:
        config = told(targets, receiver, tmp_path)
        with monitor("--config", str(config), folder=tmp_path) as one:
            wait_for(lambda: all_seen(one))
            targets.behave("fks_auth", "error")
            wait_for(lambda: receiver.tries)
            one.process.kill()
        receiver.status = 200
        with monitor("--config", str(config), folder=tmp_path):
            wait_for(lambda: receiver.events)
            targets.behave("fks_auth", "ok")
            wait_for(lambda: len(receiver.events) == 2)
        assert receiver.events == [("ServiceDown", "fks_auth"), ("ServiceUp", "fks_auth")]


def test_a_restart_by_itself_tells_nothing(receiver: Receiver, tmp_path: Path) -> None:
    with fleet() as targets:
        config = told(targets, receiver, tmp_path)
        with monitor("--config", str(config), folder=tmp_path) as one:
            targets.behave("fks_web", "refuse")
            wait_for(lambda: receiver.events)
            assert one.stop() == 0
        with monitor("--config", str(config), folder=tmp_path) as one:
            wait_for(lambda: one.status("fks_api") == "Healthy" and one.status("fks_web") == "Unhealthy")
            wait_for(lambda: one.get("/api/metrics")["total_requests"] > 60)
        assert receiver.events == [("ServiceDown", "fks_web")]
