"""R15 and R16: a Compose that misbehaves, and our own death in the middle of it."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from tests.compose_stub import compose_stub
from tests.process import Monitor, monitor, wait_for

FORKS_AND_HANGS = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), subprocess.Popen(["sleep", "600"]).pid)
time.sleep(600)
"""
FLOODS = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid())
while True:
    os.write(1, b"x" * 65536)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    compose_stub(tmp_path, build=FORKS_AND_HANGS, pull=FLOODS)
    (tmp_path / "monitor.toml").write_text('[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n')
    return tmp_path


def begin(one: Monitor, action: str) -> str:
    answer = json.loads(one.request("/api/compose", "POST", {"action": action, "wait": False})[2])
    return str(answer["job_id"])


def first_line(one: Monitor, job_id: str) -> list[int]:
    def read() -> bytes:
        return one.request(f"/api/jobs/{job_id}/output?follow=false")[2][:200]

    return [int(word) for word in wait_for(lambda: read().partition(b"\n")[1] and read()).splitlines()[0].split()]


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def run(folder: Path) -> Any:
    return monitor("--config", "monitor.toml", folder=folder, PATH=f"{folder}:{os.environ['PATH']}")


def test_r15_one_that_hangs_forks_and_ignores_term_goes_with_its_children(folder: Path) -> None:
    with run(folder) as one:
        job_id = begin(one, "build")
        pids = first_line(one, job_id)
        asked = time.monotonic()
        ended = json.loads(one.request(f"/api/jobs/{job_id}/cancel", "POST")[2])
        assert (ended["state"], ended["status_code"]) == ("cancelled", -9)
        assert time.monotonic() - asked >= 5, "TERM comes first, KILL after the grace"
        wait_for(lambda: all(is_gone(pid) for pid in pids))
        children = Path(f"/proc/{one.process.pid}/task/{one.process.pid}/children").read_text().split()
        assert not [pid for pid in children if is_gone(int(pid))], "no zombie is left"


def test_r15_a_flood_is_capped_and_holds_up_nobody(folder: Path) -> None:
    with run(folder) as one:
        job_id = begin(one, "pull")
        wait_for(lambda: one.get(f"/api/jobs/{job_id}")["output_bytes"] > 100 << 20)
        assert one.request("/health")[0] == 200
        one.request(f"/api/jobs/{job_id}/cancel", "POST")
    kept = sum(file.stat().st_size for file in (folder / "data/jobs" / job_id).glob("*.output"))
    assert kept <= 64 << 20


def test_r16_killed_in_the_middle_leaves_no_orphan_no_lock_and_says_interrupted(folder: Path) -> None:
    with run(folder) as one:
        job_id = begin(one, "build")
        pids = first_line(one, job_id)
        one.stop(signal.SIGKILL)
    wait_for(lambda: all(is_gone(pid) for pid in pids))
    with run(folder) as one:
        job = one.get(f"/api/jobs/{job_id}")
        assert (job["state"], job["reason"]) == ("interrupted", "FKS Master ended while the job ran")
        again = begin(one, "build")
        assert one.get(f"/api/jobs/{again}")["state"] == "running"
