"""Compose on a real engine: every action, and each trap that real Compose sets."""

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.docker_engine import Engine, registry
from tests.process import Monitor, monitor, wait_for
from tests.tools import free_port

KEY = "correct horse battery staple"
STACK = """name: shop
services:
  web: {image: fks/box, network_mode: host, stop_grace_period: 0s, depends_on: [db],
        command: ["/bin/sh", "-c", "echo web says hello; exec sleep 3600"]}
  db: {image: fks/box, network_mode: host, stop_grace_period: 0s}
  once: {image: fks/box, network_mode: host, command: ["/bin/sh", "-c", "exit 0"]}
"""


class Control:
    """A monitor with the root `folder` on a real engine."""

    def __init__(self, engine: Engine, folder: Path, running: Monitor) -> None:
        self.engine = engine
        self.folder = folder
        self.monitor = running

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def compose(self, action: str, **body: Any) -> tuple[int, Any]:
        status, _, content = self.monitor.request("/api/compose", "POST", {"action": action, **body}, x_api_key=KEY)
        return status, json.loads(content)

    def ok(self, action: str, **body: Any) -> Any:
        status, answer = self.compose(action, **body)
        assert status == 200, answer
        return answer

    def refused(self, action: str, **body: Any) -> str:
        status, answer = self.compose(action, **body)
        assert status == 400, answer
        return str(answer["stderr"])

    def states(self, project: str) -> dict[str, str]:
        return {one["service"]: one["state"] for one in self.ok("ps", project=project)["containers"]}


@pytest.fixture(scope="module")
def running(daemon: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    folder = tmp_path_factory.mktemp("stacks").resolve()
    (folder / "monitor.toml").write_text('[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n')
    environment = {**daemon.environment, "FKS_MONITOR_API_KEY": KEY}
    with monitor("--config", "monitor.toml", folder=folder, **environment) as one:
        yield Control(daemon, folder, one)


@pytest.fixture
def control(running: Control) -> Iterator[Control]:
    yield running
    running.engine.remove_everything()


def test_a_project_lives_through_every_action(control: Control) -> None:
    control.write("shop/compose.yaml", STACK)
    file = "shop/compose.yaml"
    plan = control.ok("up", file=file, dry_run=True)["plan"]
    assert {(step["verb"], step["name"]) for step in plan} == {
        ("create", f"shop-{service}-1") for service in ("web", "db", "once")
    }
    assert control.states("shop") == {}, "a dry run touches nothing"
    control.ok("up", file=file)
    wait_for(lambda: control.states("shop") == {"web": "running", "db": "running", "once": "complete"})
    assert "web says hello" in control.ok("logs", project="shop", services=["web"], tail=5)["stdout"]
    control.ok("stop", project="shop", services=["web"])
    assert control.states("shop")["web"] == "exited"
    control.ok("start", project="shop", services=["web"])
    control.ok("restart", file=file, services=["db"])
    assert control.states("shop")["web"] == "running"
    assert "shop-web-1" in control.ok("ps", file=file)["stdout"]
    gone = {step["name"] for step in control.ok("down", project="shop", dry_run=True)["plan"]}
    assert gone == {"shop-web-1", "shop-db-1", "shop-once-1"}
    control.ok("down", project="shop")
    assert control.states("shop") == {}


def test_a_dry_run_tells_what_is_recreated_and_pulled_without_asking_a_registry(control: Control) -> None:
    control.write("shop/compose.yaml", STACK)
    control.ok("up", file="shop/compose.yaml")
    changed = STACK.replace("db: {image", "db: {environment: {A: b}, image")
    control.write("shop/compose.yaml", changed + "  far: {image: registry.invalid/far, network_mode: host}\n")
    plan = [(step["verb"], step["name"]) for step in control.ok("up", project="shop", dry_run=True)["plan"]]
    assert ("recreate", "shop-db-1") in plan
    assert ("pull", "registry.invalid/far") in plan
    assert ("create", "shop-far-1") in plan


def test_a_plan_says_why_and_who_goes_with_whom(control: Control) -> None:
    """Compose restarts and takes down more than is named: the plan knows it, and so does what we never do."""
    stack = STACK.replace("depends_on: [db]", "depends_on: {db: {condition: service_started, restart: true}}")
    control.write("shop/compose.yaml", stack)
    control.ok("up", file="shop/compose.yaml")
    wait_for(lambda: control.states("shop").get("once") == "complete")
    control.engine.docker("tag", "fks/box", "fks/other")
    changed = stack.replace("db: {image", "db: {environment: {A: b}, image")
    control.write("shop/compose.yaml", changed)
    plan = because(control.ok("up", project="shop", dry_run=True))
    assert plan["recreate", "shop-db-1"] == "its configuration changed"
    assert plan["start", "shop-once-1"] == "it is exited"
    for action, verb in (("restart", "restart"), ("down", "remove")):
        plan = because(control.ok(action, project="shop", services=["db"], dry_run=True))
        assert plan[verb, "shop-web-1"] == "it depends on db"
        assert plan[verb, "shop-db-1"] is None
    image = control.engine.docker("commit", "shop-db-1")
    control.engine.docker("tag", image, "fks/box")
    try:
        plan = because(control.ok("up", project="shop", services=["web"], dry_run=True))
    finally:
        control.engine.docker("tag", "fks/other", "fks/box")
    assert plan["recreate", "shop-web-1"] == "its image changed"
    assert plan["recreate", "shop-db-1"] == "its configuration and its image changed"
    assert control.refused("restart", project="ghost") == "project ghost has no containers; bring it up first"


def test_what_is_asked_twice_is_answered_by_what_was_done(control: Control) -> None:
    """The second `down` finds neither container nor service: it is the first one's answer all the same."""
    control.write("shop/compose.yaml", STACK)
    control.ok("up", file="shop/compose.yaml")
    body = {"action": "down", "project": "shop", "services": ["db", "web", "once"]}
    answers = [
        control.monitor.request("/api/compose", "POST", body, x_api_key=KEY, idempotency_key="once") for _ in range(2)
    ]
    assert [status for status, _, _ in answers] == [200, 200]
    assert len({json.loads(content)["job_id"] for _, _, content in answers}) == 1


def because(answer: Any) -> dict[tuple[str, str], str | None]:
    return {(step["verb"], step["name"]): step["because"] for step in answer["plan"]}


def test_build_push_and_pull_go_through_a_registry(control: Control) -> None:
    control.write("built/Dockerfile", "FROM fks/box\nLABEL made=here\n")
    with registry(free_port()) as name:
        image = f"{name}/built:1"
        control.write("built/compose.yaml", f"services: {{app: {{build: ., image: '{image}', network_mode: host}}}}\n")
        control.ok("build", file="built/compose.yaml")
        wait_for(lambda: control.compose("push", file="built/compose.yaml")[0] == 200)
        control.engine.docker("image", "rm", image)
        control.ok("pull", file="built/compose.yaml")
        assert control.engine.docker("image", "inspect", "--format", "{{.Id}}", image)


def test_an_env_file_in_the_folder_names_no_other_file_and_no_other_project(control: Control) -> None:
    control.write("env/compose.yaml", "services: {app: {image: fks/box, network_mode: host}}\n")
    control.write("env/other.yaml", "services: {evil: {image: fks/box, network_mode: host}}\n")
    control.write("env/.env", "COMPOSE_FILE=other.yaml\nCOMPOSE_PROJECT_NAME=evil\n")
    assert control.ok("up", file="env/compose.yaml")["project"] == "env"
    assert control.states("env") == {"app": "running"}
    assert control.states("evil") == {}


def test_our_key_cannot_be_written_into_a_container(control: Control) -> None:
    control.write(
        "leak/compose.yaml",
        "services: {app: {image: fks/box, network_mode: host, environment: {K: '${FKS_MONITOR_API_KEY}'}}}\n",
    )
    assert "the variable is not set: FKS_MONITOR_API_KEY" in control.refused("up", file="leak/compose.yaml")
    assert control.states("leak") == {}


def test_a_required_variable_is_named_and_one_in_the_env_file_counts(control: Control) -> None:
    control.write("vars/compose.yaml", "services: {app: {image: '${IMAGE:?must}', network_mode: host}}\n")
    assert "the variable is not set: IMAGE" in control.refused("up", file="vars/compose.yaml")
    control.write("vars/.env", "IMAGE=fks/box\n")
    control.ok("up", file="vars/compose.yaml")


@pytest.mark.parametrize(
    "content",
    [
        "hunter2\nkey: [\n",
        "PASSWORD=hunter2\n",
        "[hunter2]\n",
        "services:\n  a:\n    image: '${hunter2 x'\n",
        "services:\n  a: {image: x, ports: [hunter2]}\n",
        "hunter2: {}\nservices: {a: {image: x}}\n",
    ],
)
def test_an_error_never_quotes_a_file(control: Control, content: str) -> None:
    control.write("secret.yaml", content)
    for action in ("up", "build", "pull", "stop"):
        assert "hunter2" not in control.refused(action, file="secret.yaml")


def test_a_file_that_multiplies_itself_is_refused_within_bounds(control: Control) -> None:
    lines = ["x-a0: &a0 [lol,lol,lol,lol,lol,lol,lol,lol,lol]"]
    lines += [f"x-a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 7)]
    control.write("bomb.yaml", "\n".join([*lines, "services: {a: {image: x}}\n"]))
    assert "Compose cannot read the file" in control.refused("up", file="bomb.yaml")


@pytest.mark.parametrize("address", ["https://github.com/docker/awesome-compose.git", "oci://docker.io/library/x"])
def test_a_file_of_another_host_is_not_fetched(control: Control, address: str) -> None:
    control.write("far.yaml", f"include: ['{address}']\nservices: {{a: {{image: fks/box}}}}\n")
    assert "Compose cannot read the file" in control.refused("up", file="far.yaml")


def test_a_broken_file_keeps_nobody_from_stopping(control: Control) -> None:
    control.write("shop/compose.yaml", STACK)
    control.ok("up", file="shop/compose.yaml")
    control.write("shop/compose.yaml", "nonsense: [")
    control.ok("stop", project="shop")
    assert control.states("shop")["web"] == "exited"
    control.ok("down", project="shop")


def test_without_a_file_the_override_counts_too(control: Control) -> None:
    control.write(
        "compose.yaml", "name: top\nservices: {app: {image: fks/box, network_mode: host, stop_grace_period: 0s}}\n"
    )
    control.write(
        "compose.override.yaml", "services: {more: {image: fks/box, network_mode: host, stop_grace_period: 0s}}\n"
    )
    try:
        control.ok("up")
        assert control.states("top") == {"app": "running", "more": "running"}
        control.ok("down", project="top")
        control.ok("up", file="compose.yaml")
        assert control.states("top") == {"app": "running"}
    finally:
        (control.folder / "compose.yaml").unlink()
        (control.folder / "compose.override.yaml").unlink()


def test_a_service_called_help_is_no_silent_success(control: Control) -> None:
    control.write("shop/compose.yaml", STACK)
    assert "'--help' is not the name" in control.refused("up", file="shop/compose.yaml", services=["--help"])
    control.ok("up", file="shop/compose.yaml", services=["db"])
    assert "has no service nosuch" in control.refused("stop", project="shop", services=["nosuch"])


def test_logs_are_followed_as_a_job_that_can_be_cancelled(control: Control) -> None:
    control.write("shop/compose.yaml", STACK)
    control.ok("up", file="shop/compose.yaml")
    status, answer = control.compose("logs", project="shop", services=["web"], detach=True)
    assert status == 202
    path = f"{control.monitor.address}/api/jobs/{answer['job_id']}"
    with urllib.request.urlopen(
        urllib.request.Request(f"{path}/output", headers={"x-api-key": KEY}), timeout=30
    ) as live:
        assert b"web says hello" in live.readline()
        control.monitor.request(f"/api/jobs/{answer['job_id']}/cancel", "POST", x_api_key=KEY)
    assert control.states("shop")["web"] == "running"


def test_cancelling_up_leaves_the_services_that_run(control: Control) -> None:
    waiting = "  late: {image: fks/box, network_mode: host, depends_on: {slow: {condition: service_healthy}}}\n"
    check = "{test: [CMD, /bin/none], interval: 60s, retries: 9}"
    slow = f"  slow: {{image: fks/box, network_mode: host, healthcheck: {check}}}\n"
    control.write("shop/compose.yaml", STACK + slow + waiting)
    job_id = control.compose("up", file="shop/compose.yaml", wait=False)[1]["job_id"]
    running = {"slow": "running", "web": "running", "db": "running"}
    wait_for(lambda: running.items() <= control.states("shop").items())
    answer = json.loads(control.monitor.request(f"/api/jobs/{job_id}/cancel", "POST", x_api_key=KEY)[2])
    assert answer["state"] == "cancelled"
    assert control.states("shop")["db"] == "running"


def test_docker_that_is_gone_is_503_and_nothing_else_suffers(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text('[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n')
    with monitor("--config", "monitor.toml", folder=tmp_path, DOCKER_HOST=f"unix://{tmp_path}/none.sock") as one:
        status, _, content = one.request("/api/compose", "POST", {"action": "stop", "project": "shop"})
        assert (status, json.loads(content)["stderr"]) == (503, "Docker does not answer")
        assert one.request("/health")[0] == 200


CHAIN = ("fks_api", "fks_data", "fks_engine", "fks_execution")


def test_the_core_chain_is_brought_up_watched_and_stopped_by_the_smoke_script(docker: Engine, tmp_path: Path) -> None:
    ports = {name: free_port() for name in CHAIN}
    (tmp_path / "health").write_text("ok")
    service = (
        '  {name}: {{image: fks/box, network_mode: host, stop_grace_period: 0s, volumes: ["./health:/health"], '
        'command: ["/bin/httpd", "-f", "-p", "{port}", "-h", "/"]}}\n'
    )
    stack = "".join(service.format(name=name, port=port) for name, port in ports.items())
    (tmp_path / "docker-compose.yml").write_text(f"services:\n{stack}")
    watched = '[[services]]\nid = "{}"\nhealth_endpoint = "http://127.0.0.1:{}/health"\ninterval_seconds = 0.5\n'
    (tmp_path / "monitor.toml").write_text("".join(watched.format(name, port) for name, port in ports.items()))
    environment = {**docker.environment, "FKS_MONITOR_API_KEY": KEY}
    script = Path(__file__).parents[2] / "scripts" / "e2e_smoke.sh"
    with monitor("--config", "monitor.toml", folder=tmp_path, **environment) as one:
        done = subprocess.run(
            [script, "--url", one.address, "--project", "chain", "--timeout", "60"],
            env={**os.environ, "FKS_MONITOR_API_KEY": KEY},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, ""), done
    assert "The core chain works." in done.stdout


def test_a_project_from_outside_the_roots_is_nobodys_business(control: Control, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {app: {image: fks/box, network_mode: host}}\n")
    command = ["docker", "compose", "-p", "outside", "-f", str(tmp_path / "compose.yaml"), "up", "-d"]
    subprocess.run(command, env=control.engine.environment, capture_output=True, timeout=60, check=True)
    for action in ("stop", "restart", "down", "logs", "ps"):
        assert "not below the configured [compose] roots" in control.refused(action, project="outside")
    assert control.engine.docker("ps", "--format", "{{.Names}}") == "outside-app-1"
