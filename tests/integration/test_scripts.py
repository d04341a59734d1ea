import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from tests.tools import tool

from fks_master.alerts.notify import Request, webhook

SCRIPTS = Path(__file__).parents[2] / "scripts"
EVERY_SCRIPT = sorted(path for path in SCRIPTS.iterdir() if path.suffix in {".sh", ".py"})


def run(name: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [str(SCRIPTS / name), *arguments]
    return subprocess.run(command, env=os.environ | environ, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("script", EVERY_SCRIPT, ids=lambda path: path.name)
def test_every_script_explains_itself(script: Path) -> None:
    done = run(script.name, "--help")
    assert done.returncode == 0
    assert script.name in done.stdout


def test_the_shell_scripts_are_sound() -> None:
    root = SCRIPTS.parent
    scripts = [*SCRIPTS.glob("*.sh"), root / "deploy" / "docker" / "entrypoint.sh", root / ".ci" / "run"]
    command = [tool("shellcheck", "shellcheck"), "--external-sources", *map(str, scripts)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_the_tls_script_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("mine")
    done = run("generate_self_signed_tls.sh", str(tmp_path))
    assert done.returncode == 1
    assert (tmp_path / "key.pem").read_text() == "mine"


@pytest.fixture
def docker_calls(tmp_path: Path) -> Path:
    """A docker that writes down how it was called, and knows no builder yet."""
    calls = tmp_path / "calls"
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\necho "$*" >> {calls}\n[ "$2" != inspect ]\n')
    docker.chmod(0o755)
    return calls


@pytest.mark.parametrize("more", [(), ("--push",)])
def test_the_multi_arch_script_builds_both_and_loads_or_pushes(docker_calls: Path, more: tuple[str, ...]) -> None:
    path = f"{docker_calls.parent}:{os.environ['PATH']}"
    done = run("buildx-multiarch.sh", "fks_master:dev", *more, PATH=path)
    assert done.returncode == 0, done.stderr
    calls = docker_calls.read_text().splitlines()
    assert "buildx create --name fks_builder" in calls
    builds = [call for call in calls if call.startswith("buildx build")]
    assert "--platform linux/amd64,linux/arm64" in builds[0]
    assert [call.rpartition("--")[2] for call in builds][-1].startswith("push" if more else "load")


def test_the_receiver_prints_what_it_gets() -> None:
    command = [sys.executable, str(SCRIPTS / "webhook_receiver.py"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as receiver:
        assert receiver.stdout is not None
        try:
            address = receiver.stdout.readline().split()[-1]
            body = json.dumps({"event_type": "ServiceDown", "message": "\x1b[31mred"}).encode()
            with urllib.request.urlopen(urllib.request.Request(address, body), timeout=10) as answer:
                assert answer.status == 200
            printed = "".join(receiver.stdout.readline() for _ in range(5))
        finally:
            receiver.terminate()
    assert '"event_type": "ServiceDown"' in printed
    assert "\x1b" not in printed


@pytest.mark.parametrize(("secret", "verdict"), [("shared", "right"), ("other", "WRONG")])
def test_the_receiver_checks_the_signature(secret: str, verdict: str) -> None:
    signed = webhook.signed(Request("", b'{"event_type": "ServiceDown"}'), "shared", 1_700_000_000)
    command = [sys.executable, str(SCRIPTS / "webhook_receiver.py"), "--port", "0", "--secret", secret]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as receiver:
        assert receiver.stdout is not None
        try:
            address = receiver.stdout.readline().split()[-1]
            with urllib.request.urlopen(urllib.request.Request(address, signed.body, signed.headers), timeout=10):
                pass
            printed = "".join(iter(receiver.stdout.readline, "\n"))
        finally:
            receiver.terminate()
    assert f"signature: {verdict}" in printed
