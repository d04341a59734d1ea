"""Containers that are watched because they say so, on a real Docker Engine."""

import json
from pathlib import Path

from tests.docker_engine import Engine
from tests.integration.test_docker import event, feed
from tests.process import Monitor, monitor, wait_for
from tests.tools import free_port

CONFIG = "[monitoring]\ncheck_interval_seconds = 30\nretry_attempts = 1\n"


def labelled(port: int, **more: str) -> list[str]:
    labels = {"fks.health": f"{port}/health", **{f"fks.{name}": value for name, value in more.items()}}
    return [part for name, value in labels.items() for part in ("--label", f"{name}={value}")]


def ids(one: Monitor) -> set[str]:
    return {each["id"] for each in one.get("/api/services")}


def test_a_container_appears_is_watched_and_leaves(docker: Engine, tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text(CONFIG)
    with monitor("--config", "monitor.toml", folder=tmp_path, DOCKER_HOST=docker.host) as one, feed(one) as live:
        wait_for(lambda: "docker_connected" in one.log)
        docker.serve_health("ledger", free_port(), *labelled(port := free_port(), name="Ledger", critical="true"))
        docker.docker("rm", "-f", "ledger")
        docker.serve_health("ledger", port, *labelled(port, name="Ledger", critical="true", type="Worker"))
        assert event(live, "ServiceAppeared")["service_id"] == "ledger"
        wait_for(lambda: one.status("ledger") == "Healthy")
        (found,) = one.get("/api/services")
        assert (found["name"], found["critical"], found["service_type"]) == ("Ledger", True, "Worker")
        assert (found["docker_container"], found["is_discovered"]) == ("ledger", True)
        docker.crash("ledger")
        wait_for(lambda: one.status("ledger") == "Unhealthy")
        assert one.request("/api/services/ledger/restart", "POST")[0] == 200
        wait_for(lambda: one.status("ledger") == "Healthy")
        docker.docker("rm", "-f", "ledger")
        wait_for(lambda: ids(one) == set())
        assert event(live, "ServiceLeft")["service_id"] == "ledger"
        assert one.request("/api/services/ledger/health")[0] == 404


def test_a_restart_of_the_monitor_forgets_nobody_even_without_docker(docker: Engine, tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text(CONFIG)
    port = free_port()
    docker.serve_health("ledger", port, *labelled(port))
    with monitor("--config", "monitor.toml", folder=tmp_path, DOCKER_HOST=docker.host) as one:
        wait_for(lambda: one.status("ledger") == "Healthy")
        wait_for((tmp_path / "data" / "discovered.json").exists)
    assert (tmp_path / "data" / "discovered.json").stat().st_mode & 0o777 == 0o600
    with monitor("--config", "monitor.toml", folder=tmp_path, DOCKER_HOST=f"unix://{tmp_path}/none.sock") as one:
        wait_for(lambda: one.status("ledger") == "Healthy")
    docker.docker("rm", "-f", "ledger")
    with monitor("--config", "monitor.toml", folder=tmp_path, DOCKER_HOST=docker.host) as one:
        wait_for(lambda: ids(one) == set())
    (tmp_path / "monitor.toml").write_text(f"{CONFIG}[discovery]\nenabled = false\n")
    docker.serve_health("ledger", port, *labelled(port))
    with monitor("--config", "monitor.toml", folder=tmp_path, DOCKER_HOST=docker.host) as one:
        wait_for(lambda: "docker_connected" in one.log)
        assert ids(one) == set()
        (tmp_path / "monitor.toml").write_text(CONFIG)
        wait_for(lambda: one.status("ledger") == "Healthy")


STACK = """
x-box: &box {{image: fks/box, network_mode: host, stop_grace_period: 0s}}
services:
  fks_api: {{<<: *box, command: {serve}, depends_on: [db]}}
  db: {{<<: *box, command: {serve}, labels: {{fks.health: "{port}/health"}}}}
  evil: {{<<: *box, labels: {{fks.health: "http://169.254.169.254/latest"}}}}
"""


def test_a_compose_project_is_matched_found_and_drawn_as_a_graph(docker: Engine, tmp_path: Path) -> None:
    port = free_port()
    serve = json.dumps(
        ["sh", "-c", f"mkdir -p /w; echo ok > /w/health; httpd -f -p 127.0.0.1:{port} -h /w || sleep 99"]
    )
    (tmp_path / "compose.yaml").write_text(STACK.format(serve=serve, port=port))
    api = f'[[services]]\nid = "fks_api"\nhealth_endpoint = "http://127.0.0.1:{port}/health"\n'
    api += 'docker_container = "fks_api"\n'
    (tmp_path / "monitor.toml").write_text(CONFIG + api)
    with monitor("--config", "monitor.toml", folder=tmp_path, **docker.environment) as one:
        answer = json.loads(one.request("/api/compose", "POST", {"action": "up", "project": "shop"})[2])
        assert answer["success"], answer
        wait_for(lambda: ids(one) == {"fks_api", "db"})
        wait_for(lambda: all(each["status"] == "Healthy" for each in one.get("/api/services")))
        api_now, db = sorted(one.get("/api/services"), key=lambda each: each["id"], reverse=True)
        assert (api_now["docker_container"], api_now["depends_on"]) == ("shop-fks_api-1", ["db"])
        assert (api_now["is_discovered"], db["is_discovered"], db["group"]) == (False, True, "shop")
        wait_for(lambda: "container_not_watched" in one.log)
        assert "another host than the container itself" in one.log
        before = one.get("/api/events?event_type=ServiceLeft")
        recreated = tmp_path / "compose.yaml"
        recreated.write_text(recreated.read_text().replace("{fks.health", "{new: label, fks.health"))
        assert json.loads(one.request("/api/compose", "POST", {"action": "up", "project": "shop"})[2])["success"]
        wait_for(lambda: one.status("db") == "Healthy")
        assert one.get("/api/events?event_type=ServiceLeft") == before, "made anew is not gone"
        one.request("/api/compose", "POST", {"action": "down", "project": "shop"})
        wait_for(lambda: ids(one) == {"fks_api"})


def test_a_crash_loop_is_recognised_and_told_apart_from_stops(docker: Engine, tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text(CONFIG)
    port = free_port()
    docker.serve_health("ledger", port, *labelled(port), "--restart", "always")
    with monitor("--config", "monitor.toml", folder=tmp_path, DOCKER_HOST=docker.host) as one, feed(one) as live:
        wait_for(lambda: one.status("ledger") == "Healthy")
        for count in (1, 2, 3):
            docker.crash("ledger")
            assert event(live, "ContainerDied")["data"]["exit_code"] == 7  # type: ignore[index]
            if count < 3:
                assert event(live, "ContainerStarted")["service_id"] == "ledger"
        told = event(live, "ContainerCrashLooping")
        assert (told["data"]["crashes"], told["data"]["is_crash_looping"]) == (3, True)  # type: ignore[index]
        facts = one.get("/api/services/ledger/health")["container"]
        assert (facts["crashes"], facts["is_crash_looping"], facts["image"]) == (3, True, "fks/box")
        assert "labels" not in facts
        docker.docker("stop", "-t", "1", "ledger")
        assert event(live, "ContainerStopped")["service_id"] == "ledger"
        facts = one.get("/api/services/ledger/health")["container"]
        assert (facts["crashes"], facts["was_stopped"], facts["state"]) == (3, True, "exited")
