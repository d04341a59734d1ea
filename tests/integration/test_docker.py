"""The monitor and a real Docker Engine."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.docker_engine import Engine
from tests.process import PATIENCE, Monitor, monitor, wait_for
from tests.tools import free_port
from websockets.sync.client import ClientConnection, connect


@contextlib.contextmanager
def watched(docker: Engine, folder: Path, interval: float = 30, **environment: str) -> Iterator[Monitor]:
    """One healthy container, fks_api, and a monitor that watches it."""
    port = free_port()
    docker.serve_health("fks_api", port)
    wait_for(lambda: answers(port))
    config = folder / "monitor.toml"
    config.write_text(
        f"[monitoring]\ncheck_interval_seconds = {interval}\nretry_attempts = 1\n"
        f'[[services]]\nid = "api"\nhealth_endpoint = "http://127.0.0.1:{port}/health"\ndocker_container = "fks_api"\n'
    )
    with monitor("--config", str(config), DOCKER_HOST=docker.host, **environment) as one:
        wait_for(lambda: container_of(one))
        wait_for(lambda: one.status("api") == "Healthy")
        yield one


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def container_of(one: Monitor) -> dict[str, object]:
    return one.get("/api/services/api/health")["container"] or {}


@contextlib.contextmanager
def feed(one: Monitor) -> Iterator[ClientConnection]:
    with connect(one.address.replace("http", "ws") + "/ws") as socket:
        assert json.loads(socket.recv(PATIENCE))["type"] == "initial"
        yield socket


def event(feed: ClientConnection, kind: str) -> dict[str, object]:
    while True:
        message: dict[str, object] = json.loads(feed.recv(PATIENCE))
        if message.get("event_type") == kind:
            return message


def test_a_killed_container_is_seen_at_once_and_not_at_the_next_check(docker: Engine, tmp_path: Path) -> None:
    with watched(docker, tmp_path, interval=3600) as one, feed(one) as live:
        docker.crash("fks_api")
        died = event(live, "ContainerDied")
        assert died["service_id"] == "api"
        assert died["data"]["exit_code"] == 7  # type: ignore[index]
        assert one.status("api") == "Unhealthy"
        assert container_of(one)["state"] == "exited"
        assert 'fks_service_health_status{service_id="api"' in one.request("/metrics")[2].decode()
        before = one.get("/api/services")[0]["last_check"]
        docker.docker("start", "fks_api")
        wait_for(lambda: one.get("/api/services")[0]["last_check"] != before)
        # What has just begun may not answer yet, and the next check is an hour away.
        wait_for(lambda: one.request("/api/services/api/check", "POST")[0] and one.status("api") == "Healthy")


def test_a_manual_stop_is_told_apart_from_a_crash(docker: Engine, tmp_path: Path) -> None:
    with watched(docker, tmp_path, interval=3600) as one, feed(one) as live:
        docker.docker("stop", "-t", "1", "fks_api")
        assert event(live, "ContainerDied")["data"]["was_stopped"] is True  # type: ignore[index]
        assert "stopped" in str(one.get("/api/services")[0]["error_message"])


def test_a_restart_is_done_said_counted_and_verified(docker: Engine, tmp_path: Path) -> None:
    with watched(docker, tmp_path) as one, feed(one) as live:
        before = container_of(one)["started_at"]
        status, headers, body = one.request("/api/services/api/restart", "POST")
        answer = json.loads(body)
        assert (status, answer["success"], answer["service_id"]) == (200, True, "api")
        assert headers["x-request-id"]
        restarted = event(live, "ServiceRestarted")
        assert restarted["data"]["success"] is True  # type: ignore[index]
        wait_for(lambda: container_of(one)["started_at"] != before)
        assert 'success="true"} 1' in one.request("/metrics")[2].decode()
        trail = one.get("/api/audit")
        assert (trail[0]["action"], trail[0]["outcome"]) == ("POST /api/services/{service_id}/restart", 200)
        assert one.status("api") == "Healthy"


def test_of_many_restarts_at_once_one_runs(docker: Engine, tmp_path: Path) -> None:
    with watched(docker, tmp_path) as one, ThreadPoolExecutor(20) as pool:
        path = "/api/services/api/restart"
        statuses = sorted(pool.map(lambda _: one.request(path, "POST")[0], range(20)))
        assert statuses == [200] + [409] * 19
        keyed = list(pool.map(lambda _: one.request(path, "POST", idempotency_key="k1"), range(5)))
        assert len({body for _, _, body in keyed}) == 1
        assert keyed[0][0] == 200


def test_with_a_key_only_who_has_it_may_restart_on_rest_and_on_the_feed(docker: Engine, tmp_path: Path) -> None:
    path, command = "/api/services/api/restart", {"command_type": "restart_service", "service_id": "api"}
    with watched(docker, tmp_path, FKS_MONITOR_API_KEY="right") as one:
        for headers in ({}, {"x_api_key": "wrong"}, {"authorization": "Bearer a.b.c"}):
            status, _, body = one.request(path, "POST", **headers)
            assert (status, json.loads(body)["success"]) == (401, False)
        with feed(one) as live:
            live.send(json.dumps(command))
            assert answer(live)["reason"] == "unauthorized"
            live.send(json.dumps({**command, "token": "right"}))
            done = answer(live)
            assert (done["type"], done["success"], done["result"]["success"]) == ("restart_result", True, True)  # type: ignore[index]
        assert one.request(path, "POST", x_api_key="right")[0] == 200
        assert one.request("/api/audit")[0] == 401
        trail = json.loads(one.request("/api/audit", x_api_key="right")[2])
        assert {each["outcome"] for each in trail} == {200, 401}
        assert "fks_restart_unauthorized_total 4" in one.request("/metrics")[2].decode()


def answer(live: ClientConnection) -> dict[str, object]:
    while True:
        message: dict[str, object] = json.loads(live.recv(PATIENCE))
        if message["type"] not in {"update", "event"}:
            return message


def test_what_cannot_be_done_is_said(docker: Engine, tmp_path: Path) -> None:
    with watched(docker, tmp_path) as one:
        assert one.request("/api/services/none/restart", "POST")[0] == 404
        docker.docker("rm", "-f", "fks_api")
        status, _, body = one.request("/api/services/api/restart", "POST")
        assert status == 502
        assert "No such container" in json.loads(body)["message"]


def test_control_can_be_switched_off(docker: Engine, tmp_path: Path) -> None:
    with watched(docker, tmp_path) as one:
        config = tmp_path / "monitor.toml"
        text = config.read_text()
        one.stop()
    config.write_text("[control]\nenabled = false\n" + text)
    with monitor("--config", str(config), DOCKER_HOST=docker.host) as one:
        status, _, body = one.request("/api/services/api/restart", "POST")
        assert (status, json.loads(body)["message"]) == (403, "control disabled")


def test_without_docker_everything_else_works(tmp_path: Path) -> None:
    config = tmp_path / "monitor.toml"
    config.write_text('[[services]]\nid = "a"\nhealth_endpoint = "http://127.0.0.1:1/"\ndocker_container = "a"\n')
    with monitor("--config", str(config), DOCKER_HOST=f"unix://{tmp_path}/none.sock") as one:
        wait_for(lambda: "docker_absent" in one.log)
        wait_for(lambda: one.status("a") == "Unhealthy")
        assert one.request("/api/services/a/restart", "POST")[0] == 503
        assert one.log.count("docker_absent") == 1


def test_a_daemon_that_hangs_delays_nothing_and_ends_in_its_deadline(docker: Engine, tmp_path: Path) -> None:
    with watched(docker, tmp_path, interval=0.3) as one:
        assert docker.process is not None
        docker.process.send_signal(signal.SIGSTOP)
        try:
            before = one.get("/api/services")[0]["last_check"]
            wait_for(lambda: one.get("/api/services")[0]["last_check"] > before)
            assert one.status("api") == "Healthy"
            begun = time.monotonic()
            assert one.stop() == 0
            assert time.monotonic() - begun < 10
        finally:
            docker.process.send_signal(signal.SIGCONT)


def test_a_container_is_watched_by_its_own_health_check(docker: Engine, tmp_path: Path) -> None:
    sick = "--health-cmd=if [ -e /sick ]; then echo the disk is full; exit 1; fi; [ -e /well ]"
    often = ("--health-interval=0.2s", "--health-retries=2", "--health-start-period=60s")
    docker.docker("run", "-d", "--network", "none", "--name", "db", sick, *often, "fks/box")
    docker.docker("run", "-d", "--network", "none", "--name", "plain", "fks/box")
    config = tmp_path / "monitor.toml"
    config.write_text(
        "[monitoring]\ncheck_interval_seconds = 0.2\nretry_attempts = 1\n"
        + "".join(
            f'[[services]]\nid = "{name}"\nhealth_endpoint = "docker://{name}"\n' for name in ("db", "plain", "no")
        )
    )
    with monitor("--config", str(config), DOCKER_HOST=docker.host) as one:

        def told(name: str) -> tuple[str, str]:
            found = {each["id"]: each for each in one.get("/api/services")}[name]
            return found["status"], found["error_message"] or ""

        wait_for(lambda: told("plain") == ("Healthy", ""))
        wait_for(lambda: told("no") == ("Unhealthy", "There is no container no"))
        wait_for(lambda: told("db") == ("Unknown", "The container starts; its own health check has no verdict yet"))
        docker.docker("exec", "db", "sh", "-c", "echo > /well")
        wait_for(lambda: told("db") == ("Healthy", ""))
        docker.docker("exec", "db", "sh", "-c", "echo > /sick")
        words = "Docker's health check of the container fails: the disk is full"
        wait_for(lambda: told("db") == ("Unhealthy", words))
        docker.docker("kill", "plain")
        wait_for(lambda: told("plain") == ("Unhealthy", "The container has ended (exit code 137)"))
        docker.docker("start", "plain")
        wait_for(lambda: told("plain") == ("Healthy", ""))
        assert docker.process is not None
        docker.process.send_signal(signal.SIGSTOP)
        try:
            wait_for(lambda: told("plain")[0] == told("db")[0] == told("no")[0] == "Unknown")
            assert one.request("/health")[0] == 200
        finally:
            docker.process.send_signal(signal.SIGCONT)
        wait_for(lambda: (told("plain")[0], told("no")[0]) == ("Healthy", "Unhealthy"))


def test_a_container_is_checked_once_from_the_command_line(docker: Engine, tmp_path: Path) -> None:
    docker.docker("run", "-d", "--network", "none", "--name", "plain", "fks/box")
    for target, host, code, words in (
        ("docker://plain", docker.host, 0, "docker://plain: well"),
        ("docker://other", docker.host, 1, "There is no container other"),
        ("docker://plain", f"unix://{tmp_path}/none", 1, "docker://plain: not known"),
    ):
        environment = {**os.environ, "DOCKER_HOST": host}
        command = [sys.executable, "-m", "fks_master", "check", target]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, words in done.stdout) == (code, True), done.stdout + done.stderr
