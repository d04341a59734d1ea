"""Compose over REST against a stand-in for the `docker` command; the real one is in test_compose_docker.py."""

import json
import os
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.process import Monitor, monitor, wait_for
from websockets.sync.client import ClientConnection, connect

KEY = "correct horse battery staple"
MODEL = {"name": "shop", "services": {"web": {"image": "web"}, "db": {"image": "db"}}}
DOCKER = """#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/calls"
case "$*" in
  "compose version --short") echo 2.26.1 ;;
  *"config --format json") cat "$here/warnings" >&2; cat "$here/model" ;;
  "ps --all"*) cat "$here/members" ;;
  *" build --"*) echo failing >&2; exit 17 ;;
  *" pull --"*) echo begun; exec sleep 60 ;;
  *) env | sort; echo error text >&2 ;;
esac
"""


class Shop:
    """A monitor with one project, and the docker stand-in that it uses."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, content in {"docker": DOCKER, "model": json.dumps(MODEL), "warnings": "", "members": ""}.items():
            (folder / name).write_text(content)
        (folder / "docker").chmod(0o755)
        (folder / "stack").mkdir()
        (folder / "stack" / "docker-compose.yml").write_text("services: {}\n")
        self.config = folder / "monitor.toml"
        self.config.write_text(
            '[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n[compose]\nroots = ["stack"]\n'
        )
        self.monitor: Monitor

    def post(self, key: str | None = KEY, path: str = "/api/compose", **body: Any) -> tuple[int, Any]:
        headers = {"x_api_key": key} if key else {}
        status, _, content = self.monitor.request(path, "POST", body, **headers)
        return status, json.loads(content)

    def get(self, path: str) -> Any:
        return json.loads(self.monitor.request(path, x_api_key=KEY)[2])

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    one = Shop(tmp_path_factory.mktemp("shop"))
    environment = {"PATH": f"{one.folder}:{os.environ['PATH']}", "FKS_MONITOR_API_KEY": KEY}
    with monitor("--config", str(one.config), folder=one.folder, **environment) as one.monitor:
        yield one


def test_an_action_waits_for_its_end_and_answers_nested_and_flat(shop: Shop) -> None:
    status, answer = shop.post(action="UP", services=["web"], file="docker-compose.yml", project="shop", detach=True)
    assert status == 200
    assert answer["ok"] is True
    result = answer["result"]
    assert {name: answer[name] for name in result} == result
    assert (result["action"], result["services"], result["success"], result["status_code"]) == ("up", ["web"], True, 0)
    assert result["stderr"] == "error text\n"
    file = shop.folder / "stack" / "docker-compose.yml"
    assert shop.calls[-1] == (
        f"compose --ansi never -p shop -f {file} --project-directory {file.parent} up --detach -- web"
    )


def test_no_secret_reaches_the_process(shop: Shop) -> None:
    _, answer = shop.post(action="up")
    assert "COMPOSE_EXPERIMENTAL_GIT_REMOTE=false" in answer["stdout"]
    assert KEY not in answer["stdout"]
    assert "FKS_" not in answer["stdout"]


def test_a_failed_action_is_500_with_the_result(shop: Shop) -> None:
    status, answer = shop.post(action="build")
    assert status == 500
    assert (answer["ok"], answer["success"], answer["status_code"], answer["stderr"]) == (False, False, 17, "failing\n")


def test_an_empty_file_is_as_one_left_out(shop: Shop) -> None:
    status, answer = shop.post(action="up", file="", project="")
    assert (status, answer["project"]) == (200, "shop")


@pytest.mark.parametrize("nonsense", ["WARNING: this is not docker", "[1, 2]", '["cut', "\xff"])
def test_a_docker_command_that_talks_nonsense_is_503_with_the_reason(shop: Shop, nonsense: str) -> None:
    (shop.folder / "members").write_bytes(nonsense.encode("latin-1"))
    try:
        status, answer = shop.post(action="stop", project="shop")
    finally:
        (shop.folder / "members").write_text("")
    assert (status, answer["stderr"]) == (503, "what the docker command tells of its containers cannot be read")


@pytest.mark.parametrize("key", [None, "wrong"])
def test_without_the_key_nothing_happens(shop: Shop, key: str | None) -> None:
    before = len(shop.calls)
    status, answer = shop.post(key, action="up")
    assert (status, answer["stderr"], answer["success"]) == (401, "unauthorized", False)
    assert len(shop.calls) == before
    for path in ("/api/jobs", "/api/jobs/x", "/api/jobs/x/output"):
        assert shop.monitor.request(path)[0] == 401
    assert shop.post(key, "/api/jobs/x/cancel")[0] == 401
    assert "fks_compose_unauthorized_total 0" not in shop.monitor.request("/metrics")[2].decode()


def test_a_foreign_page_with_the_key_is_refused(shop: Shop) -> None:
    headers = {"x_api_key": KEY, "Origin": "https://evil.example"}
    assert shop.monitor.request("/api/compose", "POST", {"action": "ps"}, **headers)[0] == 403


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"action": "exec"}, "unknown action 'exec'"),
        ({"action": "up", "file": "/etc/passwd"}, "not below the configured [compose] roots"),
        ({"action": "up", "file": "../monitor.toml"}, "not below the configured [compose] roots"),
        ({"action": "up", "services": ["--help"]}, "'--help' is not the name of a service"),
        ({"action": "up", "services": ["none"]}, "project shop has no service none"),
        ({"action": "stop", "project": "other", "services": ["none"]}, "project other has no service none"),
    ],
)
def test_a_bad_request_is_400_with_the_reason_where_clients_look(shop: Shop, body: dict[str, Any], reason: str) -> None:
    status, answer = shop.post(**body)
    assert status == 400
    assert reason in answer["stderr"]
    assert answer["detail"] == answer["stderr"]


def test_a_variable_that_is_not_set_refuses_up_by_name(shop: Shop) -> None:
    (shop.folder / "warnings").write_text('level=warning msg="The \\"TAG\\" variable is not set. Defaulting"\n')
    try:
        status, answer = shop.post(action="up")
    finally:
        (shop.folder / "warnings").write_text("")
    assert status == 400
    assert "the variable is not set: TAG" in answer["stderr"]


def test_a_project_made_elsewhere_is_not_brought_up_here(shop: Shop) -> None:
    member = ["a" * 64, "shop-web-1", "web", "False", "", "/elsewhere/shop"]
    (shop.folder / "members").write_text(json.dumps(member) + "\n")
    try:
        status, answer = shop.post(action="up", file="docker-compose.yml")
    finally:
        (shop.folder / "members").write_text("")
    assert status == 400
    assert "brought up from /elsewhere/shop" in answer["stderr"]


def test_a_label_cannot_name_a_file_outside_of_the_roots(shop: Shop) -> None:
    member = ["a" * 64, "shop-web-1", "web", "False", "/etc/passwd", ""]
    (shop.folder / "members").write_text(json.dumps(member) + "\n")
    try:
        status, answer = shop.post(action="up", project="shop")
    finally:
        (shop.folder / "members").write_text("")
    assert status == 400
    assert "not below the configured" in answer["stderr"]


def test_a_job_runs_on_by_itself_is_followed_from_any_offset_and_cancelled(shop: Shop) -> None:
    status, answer = shop.post(action="pull", wait=False)
    assert status == 202
    job_id = answer["job_id"]
    assert answer["job"]["state"] == "running"
    status, refused = shop.post(action="up")
    assert (status, refused["job_id"]) == (409, job_id)
    assert "pull of shop is under way" in refused["stderr"]
    assert shop.post(action="ps")[0] == 200, "reading waits for nobody"
    request = urllib.request.Request(f"{shop.monitor.address}/api/jobs/{job_id}/output", headers={"x-api-key": KEY})
    with urllib.request.urlopen(request, timeout=30) as live:
        assert live.readline() == b"begun\n"
        status, ended = shop.post(path=f"/api/jobs/{job_id}/cancel")
        assert (status, ended["state"]) == (200, "cancelled")
        assert live.read() == b""
    status, _, rest = shop.monitor.request(f"/api/jobs/{job_id}/output?offset=2&format=ndjson", x_api_key=KEY)
    assert json.loads(rest) == {"offset": 2, "data": "gun\n"}
    assert shop.get(f"/api/jobs/{job_id}")["reason"] == "cancelled"
    assert shop.get("/api/jobs")[0]["id"] == job_id or job_id in {job["id"] for job in shop.get("/api/jobs")}


def test_a_hundred_double_clicks_start_one_job(shop: Shop) -> None:
    statuses: list[int] = []
    clicks = [
        threading.Thread(target=lambda: statuses.append(shop.post(action="pull", wait=False)[0])) for _ in range(20)
    ]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert sorted(statuses) == [202] + [409] * 19
    running = next(job for job in shop.get("/api/jobs") if job["state"] == "running")
    shop.post(path=f"/api/jobs/{running['id']}/cancel")


def test_a_request_sent_twice_with_its_key_is_carried_out_once(shop: Shop) -> None:
    def send(key: str, action: str = "up") -> tuple[int, Any]:
        headers = {"x_api_key": KEY, "Idempotency_Key": key}
        status, _, content = shop.monitor.request("/api/compose", "POST", {"action": action}, **headers)
        return status, json.loads(content)

    first, again, other = send("k1"), send("k1"), send("k2")
    assert first[1]["job_id"] == again[1]["job_id"] != other[1]["job_id"]
    assert send("k1", "build")[0] == 409


@pytest.mark.parametrize("path", ["/api/jobs/none", "/api/jobs/none/output", "/api/jobs/..%2f..%2fmonitor.toml"])
def test_an_unknown_job_is_404(shop: Shop, path: str) -> None:
    assert shop.monitor.request(path, x_api_key=KEY)[0] == 404


def test_actions_are_counted_and_told(shop: Shop) -> None:
    shop.post(action="up")
    text = shop.monitor.request("/metrics")[2].decode()
    assert 'fks_compose_actions_total{action="up",success="true"}' in text
    assert 'fks_compose_action_duration_seconds_count{action="up"}' in text


def test_ending_the_monitor_ends_its_jobs_and_a_restart_remembers(tmp_path: Path) -> None:
    one = Shop(tmp_path)
    environment = {"PATH": f"{one.folder}:{os.environ['PATH']}", "FKS_MONITOR_API_KEY": KEY}
    with monitor("--config", str(one.config), folder=one.folder, **environment) as one.monitor:
        job_id = one.post(action="pull", wait=False)[1]["job_id"]
        wait_for(lambda: one.get(f"/api/jobs/{job_id}")["output_bytes"] == 6)
        begun = time.monotonic()
        assert one.monitor.stop() == 0
        assert time.monotonic() - begun < 10
    with monitor("--config", str(one.config), folder=one.folder, **environment) as one.monitor:
        assert one.get(f"/api/jobs/{job_id}")["state"] == "interrupted"
        assert one.monitor.request(f"/api/jobs/{job_id}/output", x_api_key=KEY)[2] == b"begun\n"


def test_control_that_is_off_is_403(tmp_path: Path) -> None:
    one = Shop(tmp_path)
    one.config.write_text(one.config.read_text() + "[control]\nenabled = false\n")
    with monitor("--config", str(one.config), folder=one.folder) as one.monitor:
        status, answer = one.post(None, action="up")
    assert (status, answer["stderr"]) == (403, "control disabled")


def live(shop: Shop, **headers: str) -> ClientConnection:
    return connect(f"{shop.monitor.address.replace('http', 'ws', 1)}/ws", additional_headers=headers)


def expect(socket: ClientConnection, *kinds: str) -> dict[str, Any]:
    """Return the next message of one of these kinds; the feed of services goes on in between."""
    while True:
        message: dict[str, Any] = json.loads(socket.recv(30))
        if message["type"] in kinds:
            return message


def test_compose_over_the_socket_tells_the_job_its_output_and_its_end(shop: Shop) -> None:
    with live(shop) as socket:
        socket.send(json.dumps({"command_type": "compose", "token": KEY, "action": "up", "services": ["web"]}))
        begun = expect(socket, "job", "error")
        assert (begun["state"], begun["action"], begun["services"]) == ("running", "up", ["web"])
        output = expect(socket, "job_output")
        assert (output["job_id"], output["offset"]) == (begun["job_id"], 0)
        ended = expect(socket, "job")
        assert (ended["state"], ended["result"]["status_code"]) == ("succeeded", 0)


def test_a_job_is_followed_and_cancelled_over_the_socket(shop: Shop) -> None:
    with live(shop, **{"x-api-key": KEY}) as starter, live(shop) as other:
        starter.send(json.dumps({"command_type": "compose", "action": "pull"}))
        job_id = expect(starter, "job")["job_id"]
        expect(starter, "job_output")
        other.send(json.dumps({"command_type": "follow_job", "job_id": job_id, "offset": 2, "token": KEY}))
        assert expect(other, "job")["state"] == "running"
        assert expect(other, "job_output") == {"type": "job_output", "job_id": job_id, "offset": 2, "data": "gun\n"}
        starter.send(json.dumps({"command_type": "cancel_job", "job_id": job_id}))
        assert expect(starter, "job")["state"] == "cancelled"
        assert expect(other, "job")["state"] == "cancelled"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ({"command_type": "compose", "action": "up"}, "unauthorized"),
        ({"command_type": "compose", "action": "up", "token": "wrong"}, "unauthorized"),
        ({"command_type": "follow_job", "job_id": "x"}, "unauthorized"),
        ({"command_type": "cancel_job", "job_id": "x", "token": None}, "unauthorized"),
        ({"command_type": "cancel_job", "job_id": "x", "token": KEY}, "no such job is kept"),
        ({"command_type": "follow_job", "job_id": 7, "token": KEY}, "no such job is kept"),
        ({"command_type": "compose", "action": "up", "servces": [], "token": KEY}, "unknown field `servces`"),
        ({"command_type": "compose", "token": KEY}, "missing required field `action`"),
    ],
)
def test_a_refused_command_is_told_why(shop: Shop, command: dict[str, Any], reason: str) -> None:
    before = len(shop.get("/api/jobs"))
    with live(shop) as socket:
        socket.send(json.dumps(command))
        assert reason in expect(socket, "error", "job")["reason"]
    assert len(shop.get("/api/jobs")) == before


def test_what_was_tried_over_the_socket_is_in_the_audit_trail(shop: Shop) -> None:
    with live(shop) as socket:
        socket.send(json.dumps({"command_type": "compose", "action": "down", "token": "wrong"}))
        expect(socket, "error")
    attempt = wait_for(lambda: next((one for one in shop.get("/api/audit") if one["target"] == "down"), None))
    assert attempt is not None
    assert (attempt["action"], attempt["outcome"], attempt["who"]) == ("ws compose", 401, "wrong credential")


def test_a_client_that_leaves_ends_no_job(shop: Shop) -> None:
    with live(shop, **{"x-api-key": KEY}) as socket:
        socket.send(json.dumps({"command_type": "compose", "action": "pull"}))
        job_id = expect(socket, "job")["job_id"]
    assert shop.get(f"/api/jobs/{job_id}")["state"] == "running"
    shop.post(path=f"/api/jobs/{job_id}/cancel")
