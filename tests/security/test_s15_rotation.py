"""S15: a credential that ends while connections are open ends them, or what they may not do any more, within 30 s."""

import contextlib
import hashlib
import json
import os
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from tests.compose_stub import compose_stub
from tests.process import PATIENCE, Monitor, monitor, wait_for
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

KEY, SECRET = "the-key-that-goes", "a secret of at least thirty-two bytes"
BOUND = 30.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    compose_stub(tmp_path, build='print("begun")\ntime.sleep(600)')
    return tmp_path


def configure(folder: Path, keys: dict[str, str], server: str = "") -> None:
    tables = [
        f'[[api_keys]]\nname = "{scope}"\nhash = "{hashlib.sha256(key.encode()).hexdigest()}"\nscope = "{scope}"\n'
        for key, scope in keys.items()
    ]
    service = '[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n'
    (folder / "monitor.toml").write_text(server + "".join(tables) + service)


def run(folder: Path, **environment: str):  # type: ignore[no-untyped-def]
    return monitor("--config", "monitor.toml", folder=folder, PATH=f"{folder}:{os.environ['PATH']}", **environment)


def begin(one: Monitor, credential: dict[str, str]) -> str:
    body = {"action": "build", "wait": False}
    return str(json.loads(one.request("/api/compose", "POST", body, **credential)[2])["job_id"])


@contextlib.contextmanager
def open_feed(one: Monitor, **headers: str) -> Iterator[ClientConnection]:
    with connect(one.address.replace("http", "ws") + "/ws", additional_headers=headers) as live:
        assert json.loads(live.recv(PATIENCE))["type"] == "initial"
        yield live


def follow(live: ClientConnection, job_id: str, **token: str) -> None:
    live.send(json.dumps({"command_type": "follow_job", "job_id": job_id, **token}))
    while "begun" not in str(json.loads(live.recv(PATIENCE)).get("data", "")):
        pass


def refusal(live: ClientConnection, field: str = "reason") -> str:
    """Wait for what tells a follower that it is over."""
    deadline = time.monotonic() + BOUND
    while True:
        message = json.loads(live.recv(max(0.1, deadline - time.monotonic())))
        if message["type"] == "error":
            return str(message[field])


def end_of(live: ClientConnection) -> int:
    """Read until the connection is closed, and return the code."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            live.recv(BOUND)
    return live.close_code or 0


class Reader:
    """Reads a stream over HTTP until it ends."""

    def __init__(self, one: Monitor, path: str, **headers: str) -> None:
        self._answer = urllib.request.urlopen(urllib.request.Request(one.address + path, headers=headers), timeout=90)
        assert self._answer.readline() == b"begun\n"
        self.thread = threading.Thread(target=self._answer.read, daemon=True)
        self.thread.start()


def test_s15_a_key_that_is_taken_away_ends_every_follower(folder: Path) -> None:
    configure(folder, {KEY: "operate", "the other": "admin"}, "[server]\npublic_read = false\n")
    with run(folder) as one:
        job_id = begin(one, {"x_api_key": KEY})
        path = f"/api/jobs/{job_id}/output"
        with open_feed(one, **{"x-api-key": KEY}) as idle, open_feed(one, **{"x-api-key": "the other"}) as staying:
            follow(staying, job_id)
            follow(idle, job_id)
            reader, other = Reader(one, path, **{"x-api-key": KEY}), Reader(one, path, **{"x-api-key": "the other"})
            configure(folder, {"the other": "admin"}, "[server]\npublic_read = false\n")
            wait_for(lambda: one.request("/api/jobs", x_api_key=KEY)[0] == 401)
            gone = time.monotonic()
            reader.thread.join(BOUND)
            assert not reader.thread.is_alive(), "the stream of a key that is gone goes on"
            assert end_of(idle) == 1008
            assert time.monotonic() - gone < BOUND
            assert other.thread.is_alive()
            while json.loads(staying.recv(PATIENCE))["type"] not in {"update", "event"}:
                pass
        assert json.loads(one.request(f"/api/jobs/{job_id}", x_api_key="the other")[2])["state"] == "running"


def test_s15_a_key_that_may_less_loses_that_and_keeps_the_rest(folder: Path) -> None:
    configure(folder, {KEY: "operate"})
    with run(folder) as one:
        job_id = begin(one, {"x_api_key": KEY})
        with open_feed(one, **{"x-api-key": KEY}) as live:
            live.send(json.dumps({"command_type": "compose", "action": "build", "project": "two"}))
            follow(live, job_id)
            configure(folder, {KEY: "read"})
            wait_for(lambda: one.request(f"/api/jobs/{job_id}/cancel", "POST", x_api_key=KEY)[0] == 403)
            assert refusal(live) == "unauthorized", "who may no longer act no longer follows what was begun by it"
            live.send(json.dumps({"command_type": "cancel_job", "job_id": job_id}))
            assert "operate" in refusal(live, "detail")
            live.send(json.dumps({"command_type": "follow_job", "job_id": job_id}))
            follow(live, job_id)


def test_s15_a_token_that_expires_ends_what_was_opened_with_it(folder: Path) -> None:
    configure(folder, {})
    with run(folder, FKS_WS_JWT_SECRET=SECRET) as one:

        def token(seconds: float) -> str:
            return jwt.encode({"exp": time.time() + seconds, "roles": ["admin"]}, SECRET, algorithm="HS256")

        job_id = begin(one, {"authorization": f"Bearer {token(60)}"})
        short = token(6)
        with open_feed(one) as live:
            follow(live, job_id, token=short)
            reader = Reader(one, f"/api/jobs/{job_id}/output", authorization=f"Bearer {short}")
            assert refusal(live) == "unauthorized"
            reader.thread.join(BOUND)
            assert not reader.thread.is_alive()
            live.send(json.dumps({"command_type": "follow_job", "job_id": job_id, "token": short}))
            assert refusal(live) == "unauthorized"


def test_s15_open_mode_that_ends_ends_for_those_who_are_in(folder: Path) -> None:
    configure(folder, {})
    with run(folder) as one:
        job_id = begin(one, {})
        with open_feed(one) as live:
            follow(live, job_id)
            configure(folder, {KEY: "admin"})
            wait_for(lambda: one.request("/api/jobs")[0] == 401)
            assert refusal(live) == "unauthorized"
