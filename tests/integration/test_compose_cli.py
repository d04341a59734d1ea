import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

DOCKER = """#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/calls"
case "$*" in
  "compose version --short") echo "${VERSION:-2.26.1}" ;;
  *"config --format json") echo '{"name":"shop","services":{"web":{"image":"web"},"slow":{"image":"web"}}}' ;;
  "ps --all"*) ;;
  *"--dry-run down --"*) echo ' DRY-RUN MODE -  Container shop-web-1  Removing' >&2 ;;
  *" build --"*) echo failing >&2; exit 17 ;;
  *" up -- slow") trap 'sleep 0.5; echo stopped; exit 130' INT TERM; echo begun; while :; do sleep 0.05; done ;;
  *" ps --all --"*) echo NAME; env ;;
esac
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    return tmp_path


def run(shop: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fks_master", "compose", *arguments],
        cwd=shop,
        env={**os.environ, "PATH": f"{shop}:{os.environ['PATH']}", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def calls(shop: Path) -> list[str]:
    return (shop / "calls").read_text().splitlines()


def test_an_action_runs_with_the_default_file_and_leaves_its_code(shop: Path) -> None:
    done = run(shop, "build", "web")
    assert (done.returncode, done.stderr) == (17, "failing\n")
    assert calls(shop)[-1] == (
        f"compose --ansi never -p shop -f {shop}/compose.yaml --project-directory {shop} build -- web"
    )


def test_json_holds_the_seeds_result_and_no_key_of_ours(shop: Path) -> None:
    done = run(shop, "PS", "--project", "shop", "--json", FKS_MONITOR_API_KEY="hunter2")
    answer = json.loads(done.stdout)
    assert {name: answer[name] for name in ("action", "services", "success", "status_code", "stderr")} == {
        "action": "ps",
        "services": [],
        "success": True,
        "status_code": 0,
        "stderr": "",
    }
    assert answer["stdout"].startswith("NAME\n")
    assert "hunter2" not in answer["stdout"]


def test_down_names_what_goes_and_asks_first(shop: Path) -> None:
    done = run(shop, "down", "-p", "shop")
    assert done.returncode == 2
    assert "This removes from project shop:\n  container shop-web-1\n" in done.stderr
    assert "say --yes" in done.stderr
    assert not any(call.endswith("/ down --") and "--dry-run" not in call for call in calls(shop))
    assert run(shop, "down", "-p", "shop", "--yes").returncode == 0
    assert calls(shop)[-1] == "compose --ansi never -p shop --project-directory / down --"


def test_up_stays_attached_unless_told(shop: Path) -> None:
    run(shop, "up")
    assert calls(shop)[-1].endswith("up --")
    run(shop, "up", "--detach", "web")
    assert calls(shop)[-1].endswith("up --detach -- web")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_ends_it_leaves_compose_the_time_to_stop_what_it_started(shop: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "fks_master", "compose", "up", "slow"],
        cwd=shop,
        env={**os.environ, "PATH": f"{shop}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"begun\n"
        running.send_signal(number)
        assert running.stdout.read() == b"stopped\n"
    assert running.returncode == 130


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("stop", "nosuch"), "project shop has no service nosuch"),
        (("up", "--", "--help"), "'--help' is not the name of a service"),
        (("up", "-f", "none.yml"), "there is no file 'none.yml'"),
    ],
)
def test_a_mistake_is_said_in_one_line(shop: Path, arguments: tuple[str, ...], reason: str) -> None:
    done = run(shop, *arguments)
    assert done.returncode == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("version", "said"), [("1.29.2", "Compose 1.29 is not supported"), ("v5.0.1", "")])
def test_version_one_is_refused_and_later_ones_are_not(shop: Path, version: str, said: str) -> None:
    (shop / "docker").write_text(DOCKER.replace("${VERSION:-2.26.1}", version))
    done = run(shop, "up")
    assert done.returncode == (1 if said else 0)
    assert said in done.stderr


def test_without_docker_it_says_so(shop: Path) -> None:
    (shop / "docker").unlink()
    done = run(shop, "up", PATH="/nonexistent")
    assert done.returncode == 1
    assert "the docker command cannot be run: No such file or directory" in done.stderr
