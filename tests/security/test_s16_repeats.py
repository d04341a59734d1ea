"""S16: double clicks, replays, a hundred at once: one runs, the others are told so; a key is carried out once."""

import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.compose_stub import compose_stub
from tests.docker_engine import Engine
from tests.process import PATIENCE, Monitor, monitor, wait_for
from tests.tools import free_port
from websockets.sync.client import connect

MANY = 100
# It ends on TERM only after a while, so that all come while the first one is at work.
SLOW = (
    "trap 'sleep {}; exit 0' TERM; mkdir -p /www; echo ok > /www/health; httpd -f -p 127.0.0.1:{} -h /www & wait; wait"
)


@contextlib.contextmanager
def slow_to_stop(docker: Engine, folder: Path, seconds: float = 3) -> Iterator[Monitor]:
    port = free_port()
    command = ("fks/box", "sh", "-c", SLOW.format(seconds, port))
    docker.docker("run", "-d", "--network", "host", "--name", "slow", "--stop-timeout", "20", *command)
    (folder / "monitor.toml").write_text(
        f'[[services]]\nid = "slow"\nhealth_endpoint = "http://127.0.0.1:{port}/health"\ndocker_container = "slow"\n'
    )
    with monitor("--config", "monitor.toml", folder=folder, DOCKER_HOST=docker.host) as one:
        wait_for(lambda: one.status("slow") == "Healthy")
        wait_for(lambda: one.get("/api/services/slow/health")["container"])
        yield one


def restarts(docker: Engine) -> int:
    """How often the container was restarted since it was made."""
    made = docker.docker("inspect", "--format", "{{.Created}}", "slow")
    which = ("--filter", "event=restart", "--filter", "container=slow")
    now = f"{time.time():.6f}"  # "0s" is cut to the second, which may lie before the container was made
    return len(docker.docker("events", "--since", made, "--until", now, *which).splitlines())


def test_s16_of_a_hundred_restarts_at_once_one_runs(docker: Engine, tmp_path: Path) -> None:
    with slow_to_stop(docker, tmp_path, 8) as one, ThreadPoolExecutor(MANY) as pool:
        path = "/api/services/slow/restart"
        answers = list(pool.map(lambda _: one.request(path, "POST"), range(MANY)))
        assert Counter(status for status, _, _ in answers) == {200: 1, 409: MANY - 1}
        refused = next(json.loads(body) for status, _, body in answers if status == 409)
        assert (refused["success"], "is being worked on" in refused["message"]) == (False, True)
        wait_for(lambda: restarts(docker))
        assert restarts(docker) == 1
        trail = [each["outcome"] for each in one.get(f"/api/audit?limit={MANY}")]
        assert Counter(trail) == {200: 1, 409: MANY - 1}


def test_s16_the_same_key_is_one_restart_however_often_it_comes(docker: Engine, tmp_path: Path) -> None:
    with slow_to_stop(docker, tmp_path, 1) as one, ThreadPoolExecutor(20) as pool:
        path = "/api/services/slow/restart"
        answers = list(pool.map(lambda _: one.request(path, "POST", idempotency_key="click"), range(20)))
        answers.append(one.request(path, "POST", idempotency_key="click"))
        assert {(status, body) for status, _, body in answers} == {(200, answers[0][2])}
        wait_for(lambda: restarts(docker))
        assert restarts(docker) == 1


def test_s16_a_refusal_is_not_remembered_for_the_key(docker: Engine, tmp_path: Path) -> None:
    with slow_to_stop(docker, tmp_path) as one, ThreadPoolExecutor(2) as pool:
        path = "/api/services/slow/restart"
        first = pool.submit(one.request, path, "POST")
        wait_for(lambda: any(each["event_type"] == "ActionStarted" for each in one.get("/api/events")["events"]))
        assert one.request(path, "POST", idempotency_key="later")[0] == 409
        assert first.result()[0] == 200
        assert one.request(path, "POST", idempotency_key="later")[0] == 200


def test_s16_a_double_click_over_the_socket_and_one_who_leaves(docker: Engine, tmp_path: Path) -> None:
    with slow_to_stop(docker, tmp_path) as one:
        command = json.dumps({"command_type": "restart_service", "service_id": "slow"})
        with connect(one.address.replace("http", "ws") + "/ws") as live:
            for _ in range(2):
                live.send(command)
            while json.loads(live.recv(PATIENCE))["type"] != "restart_result":
                pass
        wait_for(lambda: restarts(docker) == 1)
        wait_for(lambda: {each["outcome"] for each in one.get("/api/audit")} == {200, 202})
        assert one.get("/api/audit")[0]["action"] == "ws restart_service"


def test_s16_a_hundred_compose_actions_at_once_are_one_job(tmp_path: Path) -> None:
    path = compose_stub(tmp_path, build="time.sleep(3)")
    (tmp_path / "monitor.toml").write_text("")
    with (
        monitor("--config", "monitor.toml", folder=tmp_path, PATH=path) as one,
        ThreadPoolExecutor(20) as pool,
    ):
        body = {"action": "build", "wait": False}
        keyed = list(pool.map(lambda _: one.request("/api/compose", "POST", body, idempotency_key="k"), range(20)))
        assert {status for status, _, _ in keyed} == {202}
        assert len({json.loads(answer)["job_id"] for _, _, answer in keyed}) == 1
        assert one.request("/api/compose", "POST", {**body, "action": "pull"}, idempotency_key="k")[0] == 409
        wait_for(lambda: one.get("/api/jobs")[0]["state"] == "succeeded")
        statuses = Counter(pool.map(lambda _: one.request("/api/compose", "POST", body)[0], range(20)))
        assert statuses[202] >= 1
        assert statuses == {202: statuses[202], 409: 20 - statuses[202]}
        running = [each for each in one.get("/api/jobs") if each["state"] == "running"]
        assert len(running) <= 1
