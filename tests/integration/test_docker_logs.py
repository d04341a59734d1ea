"""Logs and figures of real containers."""

import contextlib
import json
import urllib.request
from pathlib import Path

from tests.docker_engine import Engine
from tests.integration.test_docker import answers
from tests.process import PATIENCE, Monitor, monitor, wait_for
from tests.tools import free_port

from fks_master.api.routes.logs import MOST_STREAMS as MOST

TALK = "echo one; sleep 0.2; echo two >&2; sleep 0.2; printf '\\033[31mthree\\033[0m\\033[2J\\n'; sleep 3600"


def configured(folder: Path, *services: tuple[str, str | None]) -> str:
    config = folder / "monitor.toml"
    config.write_text(
        "\n".join(
            f'[[services]]\nid = "{name}"\nhealth_endpoint = "tcp://127.0.0.1:1"\n'
            + (f'docker_container = "{container}"\n' if container else "")
            for name, container in services
        )
    )
    return str(config)


def talk(docker: Engine, name: str, script: str = TALK, *options: str) -> None:
    docker.docker("run", "-d", "--network", "host", "--name", name, *options, "fks/box", "sh", "-c", script)


def ask(one: Monitor, path: str) -> tuple[int, str]:
    status, _, body = one.request(path)
    return status, body.decode()


def test_the_last_lines_as_text_and_as_json_of_one_and_of_several(docker: Engine, tmp_path: Path) -> None:
    talk(docker, "talker")
    talk(docker, "second", "sleep 0.3; echo between; sleep 3600")
    talk(docker, "screen", "echo seen; sleep 3600", "--tty")
    services = (("a", "talker"), ("b", "second"), ("tty", "screen"), ("none", None), ("gone", "absent"))
    with monitor("--config", configured(tmp_path, *services), DOCKER_HOST=docker.host) as one:
        wait_for(lambda: "three" in ask(one, "/api/services/a/logs")[1])
        assert ask(one, "/api/services/a/logs") == (200, "one\ntwo\n\x1b[31mthree\x1b[0m\n")
        assert ask(one, "/api/services/a/logs?colours=false&tail=1") == (200, "three\n")
        assert ask(one, "/api/services/a/logs?grep=TWO") == (200, "two\n")
        assert ask(one, "/api/services/a/logs?since=1h&tail=1&colours=0") == (200, "three\n")
        assert ask(one, "/api/services/tty/logs") == (200, "seen\n")
        shaped = [json.loads(line) for line in ask(one, "/api/services/a/logs?format=ndjson")[1].splitlines()]
        assert [line["stream"] for line in shaped] == ["stdout", "stderr", "stdout"]
        assert shaped[0]["timestamp"] < shaped[1]["timestamp"] < shaped[2]["timestamp"]
        assert {line["service_id"] for line in shaped} == {"a"}
        merged = ask(one, "/api/logs?service=a&service=b&colours=false")[1].splitlines()
        assert sorted(merged) == ["a | one", "a | three", "a | two", "b | between"]
        for path, status in {
            "/api/services/a/logs?tail=-1": 400, "/api/services/a/logs?since=often": 400, "/api/logs": 400,
            "/api/services/a/logs?format=xml": 400, "/api/services/a/logs?tail=many": 400,
            "/api/services/x/logs": 404, "/api/services/none/logs": 409, "/api/services/gone/logs": 404,
        }.items():  # fmt: skip
            assert (path, ask(one, path)[0]) == (path, status)


def test_lines_are_followed_as_they_come(docker: Engine, tmp_path: Path) -> None:
    talk(docker, "talker", "n=0; while true; do n=$((n+1)); echo line $n; sleep 0.1; done")
    with monitor("--config", configured(tmp_path, ("a", "talker")), DOCKER_HOST=docker.host) as one:
        wait_for(lambda: ask(one, "/api/services/a/logs?tail=1")[0] == 200)
        with urllib.request.urlopen(f"{one.address}/api/services/a/logs?follow=true&tail=0", timeout=PATIENCE) as live:
            numbers = [int(live.readline().split()[1]) for _ in range(5)]
        assert numbers == list(range(numbers[0], numbers[0] + 5))
        docker.docker("rm", "--force", "talker")
        assert ask(one, "/health")[0] == 200


def test_a_log_is_followed_over_a_restart(docker: Engine, tmp_path: Path) -> None:
    talk(docker, "talker", "echo begun; trap 'echo ends; exit 0' TERM; while true; do sleep 0.02; done")
    with monitor("--config", configured(tmp_path, ("a", "talker")), DOCKER_HOST=docker.host) as one:
        wait_for(lambda: ask(one, "/api/services/a/logs?tail=1")[0] == 200)
        with urllib.request.urlopen(f"{one.address}/api/services/a/logs?follow=true", timeout=PATIENCE) as live:
            assert live.readline() == b"begun\n"
            assert one.request("/api/services/a/restart", "POST")[0] == 200
            assert [live.readline() for _ in range(2)] == [b"ends\n", b"begun\n"]


def test_many_who_follow_leave_docker_to_the_others(docker: Engine, tmp_path: Path) -> None:
    """A pool of a hundred connections once left none: no restart, no sign of life of Docker."""
    talk(docker, "talker", "echo begun; sleep 3600")
    with monitor("--config", configured(tmp_path, ("a", "talker")), DOCKER_HOST=docker.host) as one:
        wait_for(lambda: ask(one, "/api/services/a/logs?tail=1")[0] == 200)
        with contextlib.ExitStack() as stack:
            path = f"{one.address}/api/services/a/logs?follow=true"
            readers = [stack.enter_context(urllib.request.urlopen(path, timeout=PATIENCE)) for _ in range(110)]
            assert {each.readline() for each in readers} == {b"begun\n"}
            assert ask(one, "/api/services/a/logs")[0] == 200
            opened = [stack.enter_context(urllib.request.urlopen(path, timeout=PATIENCE)) for _ in range(MOST - 110)]
            assert len(opened) == MOST - 110
            status, body = ask(one, "/api/services/a/logs")
            assert (status, json.loads(body)["detail"]) == (503, f"{MOST} logs are being read already")
        wait_for(lambda: ask(one, "/api/services/a/logs")[0] == 200)


def test_without_docker_logs_are_not_to_be_had(tmp_path: Path) -> None:
    config = configured(tmp_path, ("a", "talker"))
    with monitor("--config", config, DOCKER_HOST=f"unix://{tmp_path}/none.sock") as one:
        status, body = ask(one, "/api/services/a/logs")
        assert (status, json.loads(body)["title"]) == (503, "No Docker")


def test_what_a_container_uses_is_measured_and_exported(docker: Engine, tmp_path: Path) -> None:
    talk(docker, "busy", "while true; do :; done")
    with monitor("--config", configured(tmp_path, ("a", "busy")), DOCKER_HOST=docker.host) as one:

        def figures() -> dict[str, float | None]:
            found: dict[str, float | None] = one.get("/api/services/a/health")["metrics"]
            return found

        wait_for(lambda: (figures()["cpu_usage_percent"] or 0) > 10)
        assert (figures()["memory_usage_mb"] or 0) > 0
        assert 'fks_service_cpu_usage_percent{service_id="a",service_name="a"}' in ask(one, "/metrics")[1]
        docker.docker("stop", "-t", "0", "busy")
        wait_for(lambda: figures()["cpu_usage_percent"] is None)


def test_an_incident_keeps_what_the_container_wrote_before_it_died(docker: Engine, tmp_path: Path) -> None:
    port = free_port()
    docker.serve_health("fks_api", port)
    wait_for(lambda: answers(port))
    config = tmp_path / "monitor.toml"
    config.write_text(
        "[monitoring]\ncheck_interval_seconds = 3600\n[alerts]\nconsecutive_failures_threshold = 1\n"
        f'[[services]]\nid = "a"\nhealth_endpoint = "http://127.0.0.1:{port}/health"\ndocker_container = "fks_api"\n'
    )
    with monitor("--config", str(config), DOCKER_HOST=docker.host) as one:
        wait_for(lambda: one.get("/api/services/a/health")["container"] and one.status("a") == "Healthy")
        docker.docker("exec", "fks_api", "sh", "-c", "echo 'panic: no money left' > /proc/1/fd/2")
        docker.crash("fks_api")

        def evidence() -> dict[str, dict[str, object]]:
            incidents = one.get("/api/incidents")["incidents"]
            found = one.get(f"/api/incidents/{incidents[0]['id']}")["evidence"] if incidents else []
            return {each["kind"]: each["data"] for each in found}

        wait_for(lambda: {"container", "logs"} <= set(evidence()))
        docker.docker("rm", "--force", "fks_api")
        kept = evidence()
        assert (kept["container"]["exit_code"], kept["container"]["labels"]) == (7, {})
        assert str(kept["container"]["image_id"]).startswith("sha256:")
        lines = kept["logs"]["lines"]
        assert isinstance(lines, list)
        assert lines[-1].partition(" ")[2] == "panic: no money left"
