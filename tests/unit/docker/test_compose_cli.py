import os
from pathlib import Path

import pytest
from tests.process import wait_for

from fks_master.docker.compose import cli
from fks_master.docker.compose.cli import ComposeCli
from fks_master.errors import ComposeRefusedError, ComposeUnavailableError


def stand_in(folder: Path, script: str) -> ComposeCli:
    docker = folder / "docker"
    docker.write_text(f"#!/bin/sh\n{script}\n")
    docker.chmod(0o755)
    return ComposeCli({"PATH": os.environ["PATH"]}, str(docker))


def is_gone(pid: str) -> bool:
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def test_a_docker_that_hangs_is_given_up_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "SECONDS", 0.5)
    hanging = stand_in(tmp_path, f"sleep 600 & echo $! > {tmp_path}/child; wait")
    with pytest.raises(ComposeUnavailableError, match="does not answer within"):
        await hanging.members("shop")
    wait_for(lambda: is_gone((tmp_path / "child").read_text().strip()))


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 1.29.2", "Compose 1.29 is not supported"),
        ("echo \"docker: 'compose' is not a docker command.\" >&2; exit 1", "has no Compose plugin"),
        ("echo nonsense", "has no Compose plugin"),
    ],
)
async def test_what_is_not_compose_two_is_said(tmp_path: Path, script: str, reason: str) -> None:
    with pytest.raises(ComposeUnavailableError, match=reason):
        await stand_in(tmp_path, script).version()


@pytest.mark.parametrize(("text", "version"), [("2.26.1-4", (2, 26)), ("v2.40.3", (2, 40)), ("5.0.1", (5, 0))])
async def test_every_version_from_two_on_is_known(tmp_path: Path, text: str, version: tuple[int, int]) -> None:
    assert await stand_in(tmp_path, f"echo {text}").version() == version


async def test_an_answer_without_end_is_kept_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "MOST_OUTPUT", 1000)
    answer = await stand_in(tmp_path, "head -c 5000000 /dev/zero").ask([str(tmp_path / "docker")])
    assert len(answer.stdout) == 1000


async def test_nonsense_about_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ComposeRefusedError, match="cannot be read"):
        await stand_in(tmp_path, "echo nonsense").model([tmp_path / "compose.yaml"])
