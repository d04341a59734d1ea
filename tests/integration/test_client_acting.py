"""The program as a client that acts: start, stop, jobs, events."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from tests.compose_stub import compose_stub
from tests.docker_engine import Engine
from tests.integration.test_client import run
from tests.integration.test_docker import watched
from tests.integration.test_webhook import all_seen
from tests.process import PATIENCE, Monitor, fleet, monitor, wait_for
from tests.tools import free_port

from fks_master.cli.acting import act
from fks_master.cli.client import Client, ClientError


def test_a_container_is_stopped_started_and_what_happened_is_listed(docker: Engine, tmp_path: Path) -> None:
    with watched(docker, tmp_path) as one:
        done = run(one, "stop", "api")
        assert (done.returncode, done.stdout) == (0, "api: stopped\n")
        assert docker.docker("inspect", "--format", "{{.State.Running}}", "fks_api") == "false"
        done = run(one, "start", "api", "--json")
        (answer,) = json.loads(done.stdout)
        assert (answer["service_id"], answer["success"]) == ("api", True)
        wait_for(lambda: one.status("api") == "Healthy")
        wrong = run(one, "stop", "apii")
        assert (wrong.returncode, "did you mean api?" in wrong.stderr) == (1, True)
        listed = run(one, "events", "--service", "api", "-n", "100")
        assert listed.returncode == 0
        assert "ActionFinished" in listed.stdout
        assert "\x1b[" not in listed.stdout, "colours are for terminals"
        shaped = run(one, "events", "--type", "ActionStarted", "--json").stdout.splitlines()
        assert [json.loads(line)["data"]["action"] for line in shaped] == ["stop", "start"]


class Told(Client):
    """A monitor that restarts whatever it is asked to, and then says of each what is given."""

    def __init__(self, *verdicts: dict[str, object]) -> None:
        self.asked: list[str] = []
        self._verdicts = [*verdicts]

    def service(self, service_id: str) -> str:
        return f"/api/services/{service_id}"

    def get(self, path: str, *_: object, **__: object) -> Any:
        self.asked.append(path)
        if "/api/events" not in path:
            return {"success": True}
        if not self._verdicts:
            raise ClientError("the history cannot be read")
        return {"events": [self._verdicts.pop(0)]}


def verdict(number: int, *, success: bool) -> dict[str, object]:
    return {"id": number, "data": {"success": success, "seconds_until_healthy": 60.2}}


def test_a_service_that_is_not_well_ends_a_row_of_restarts() -> None:
    old = verdict(1, success=True)
    monitor = Told(old, old, verdict(2, success=False))
    with pytest.raises(ClientError, match=r"a: restarted, but it is not well 60\.2 s after"):
        act("restart", ("a", "b"), monitor)
    assert not any("/api/services/b" in path for path in monitor.asked)


def test_a_monitor_without_its_history_still_restarts() -> None:
    monitor = Told()
    act("restart", ("a",), monitor)
    assert "/api/services/a/restart" in monitor.asked


class Following:
    """A command that stays, and its lines."""

    def __init__(self, one: Monitor, *arguments: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fks_master", *arguments, "--url", one.address],
            env={"PATH": os.environ["PATH"], **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: Queue[str] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.put(line)

    def __enter__(self) -> "Queue[str]":
        return self.lines

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.communicate()


def test_events_are_followed_over_a_restart_of_the_monitor() -> None:
    port = str(free_port())
    with fleet() as targets, monitor("--config", str(targets.config), FKS_MASTER_PORT=port) as one:
        wait_for(lambda: all_seen(one))
        following = Following(one, "events", "-f", "-n", "0", "--type", "StatusChanged", "--json")
        with following as lines:
            wait_for(lambda: "fks_websocket_connections_active 1" in one.request("/metrics")[2].decode())
            targets.behave("fks_web", "error")
            assert json.loads(lines.get(timeout=PATIENCE))["service_id"] == "fks_web"
            one.stop()
            with monitor("--config", str(targets.config), FKS_MASTER_PORT=port) as again:
                wait_for(lambda: "fks_websocket_connections_active 1" in again.request("/metrics")[2].decode())
                targets.behave("fks_web", "ok")
                while json.loads(lines.get(timeout=PATIENCE))["data"]["new"] != "Healthy":
                    pass


def test_jobs_are_listed_followed_and_cancelled(tmp_path: Path) -> None:
    path = compose_stub(tmp_path, build='print("begun")\ntime.sleep(600)', pull="sys.exit(3)")
    (tmp_path / "monitor.toml").write_text("")
    given = {"PATH": path, "FKS_MONITOR_API_KEY": "right"}
    with monitor("--config", "monitor.toml", folder=tmp_path, **given) as one:
        refused = run(one, "jobs")
        assert (refused.returncode, "set FKS_MONITOR_API_KEY" in refused.stderr) == (1, True)
        key = {"FKS_MONITOR_API_KEY": "right"}
        one.request("/api/compose", "POST", {"action": "pull"}, x_api_key="right")
        body = {"action": "build", "wait": False}
        job_id = json.loads(one.request("/api/compose", "POST", body, x_api_key="right")[2])["job_id"]
        listed = run(one, "jobs", **key)
        assert listed.stdout.splitlines()[-1] == "1 running, 2 kept"
        assert job_id in listed.stdout.splitlines()[0]
        with Following(one, "jobs", job_id, "--follow", **key) as lines:
            assert lines.get(timeout=PATIENCE) == "begun\n"
            cancelled = run(one, "jobs", job_id, "--cancel", "--json", **key)
            assert json.loads(cancelled.stdout)["state"] == "cancelled"
        failed = next(
            each["id"] for each in json.loads(run(one, "jobs", "--json", **key).stdout) if each["id"] != job_id
        )
        assert run(one, "jobs", failed, **key).returncode == 1
        assert run(one, "jobs", "nothing", **key).returncode == 1
        assert run(one, "jobs", "--cancel", **key).returncode == 2
        assert run(one, "jobs", job_id, "--output", "--offset", "3", **key).stdout == "un\n"


@pytest.mark.parametrize("command", ["status", "restart", "start", "stop", "logs", "events", "jobs", "compose"])
def test_help_shows_examples(command: str) -> None:
    shown = run("http://127.0.0.1:1", command, "--help")
    assert (shown.returncode, "Examples:" in shown.stdout) == (0, True)
