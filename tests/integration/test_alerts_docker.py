"""Alerts about real containers: silence while we work on one, and a word when one crashes again and again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docker_engine import Engine
from tests.integration.test_docker import answers, container_of
from tests.integration.test_webhook import Receiver
from tests.process import Monitor, monitor, wait_for
from tests.tools import free_port


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.fixture
def watched(docker: Engine, receiver: Receiver, tmp_path: Path) -> Iterator[Monitor]:
    port = free_port()
    docker.serve_health("fks_api", port)
    wait_for(lambda: answers(port))
    config = tmp_path / "monitor.toml"
    config.write_text(
        "[monitoring]\ncheck_interval_seconds = 0.2\nretry_attempts = 1\ntimeout_seconds = 1\n"
        f'[alerts]\nwebhook_url = "{receiver.url}"\nconsecutive_failures_threshold = 2\n'
        '[[alerts.rules]]\nkind = "crash_loop"\ncount = 2\nseverity = "critical"\n'
        f'[[services]]\nid = "api"\nhealth_endpoint = "http://127.0.0.1:{port}/health"\ndocker_container = "fks_api"\n'
    )
    with monitor("--config", str(config), folder=tmp_path, DOCKER_HOST=docker.host) as one:
        wait_for(lambda: container_of(one))
        wait_for(lambda: one.status("api") == "Healthy")
        yield one


def is_told_loop(alert: dict[str, object]) -> bool:
    return alert["event_type"] == "CrashLoop" and bool(alert["told"])


def happened(one: Monitor, kind: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = one.get(f"/api/events?event_type={kind}")["events"]
    return found


def test_a_restart_of_ours_tells_nobody(watched: Monitor, receiver: Receiver) -> None:
    assert watched.request("/api/services/api/restart", "POST", {})[0] == 200
    wait_for(lambda: happened(watched, "ServiceRestarted"))
    wait_for(lambda: watched.status("api") == "Healthy")
    wait_for(lambda: watched.get("/api/alerts") == [])
    assert receiver.events == []


def test_a_container_that_crashes_again_and_again_is_told(watched: Monitor, docker: Engine, receiver: Receiver) -> None:
    for count in (1, 2):
        docker.crash("fks_api")
        wait_for(lambda: len(happened(watched, "ContainerDied")) == count)  # noqa: B023 - asked at once
        docker.docker("start", "fks_api")
        wait_for(lambda: watched.status("api") == "Healthy")
    wait_for(lambda: ("CrashLoop", "api") in receiver.events)
    loop = wait_for(lambda: next((one for one in watched.get("/api/alerts") if is_told_loop(one)), None))
    assert (loop["severity"], loop["receivers"]) == ("critical", ["webhook"])
    assert "2 times in 10 minutes" in loop["message"]
