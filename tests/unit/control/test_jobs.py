import asyncio
import errno
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fks_master.clock import SystemClock
from fks_master.control.jobs.engine import JobEngine
from fks_master.control.jobs.job import JobState, Order
from fks_master.control.jobs.spool import Spool
from fks_master.errors import BusyError


def order(script: str, *, deadline: float = 30.0, lock: str | None = None) -> Order:
    return Order(
        action="up",
        project="p",
        command=(sys.executable, "-uc", script),
        folder="/",
        deadline_seconds=deadline,
        lock=lock,
        environment={"PATH": os.environ["PATH"]},
    )


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[JobEngine]:
    engine = JobEngine(tmp_path / "jobs", SystemClock())
    yield engine
    await engine.close()


async def collect(engine: JobEngine, job_id: str, offset: int = 0) -> bytes:
    return b"".join([chunk.data async for chunk in engine.output(job_id, offset)])


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(30):
        while is_alive(pid):  # noqa: ASYNC110 - another process' end has no event
            await asyncio.sleep(0.02)


async def test_what_cannot_be_run_at_all_is_a_failed_job_that_holds_no_lock(engine: JobEngine) -> None:
    for command in (("/no/such",), ("echo", "a\0b")):
        impossible = msgspec.structs.replace(order("", lock="p"), command=command)
        job = await engine.wait((await engine.start(impossible)).id)
        assert job.state is JobState.FAILED
        assert f"{command[0]} cannot be run" in str(job.reason)
    assert (await engine.wait((await engine.start(order("", lock="p"))).id)).state is JobState.SUCCEEDED


async def test_a_program_without_a_guardian_does_not_go_on(
    engine: JobEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begin = asyncio.create_subprocess_exec
    pids: list[int] = []

    async def scarce(*command: str, **given: Any) -> asyncio.subprocess.Process:
        if "guardian" in command:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        process = await begin(*command, **given)
        pids.append(process.pid)
        return process

    monkeypatch.setattr("asyncio.create_subprocess_exec", scarce)
    job = await engine.wait((await engine.start(order("import time; time.sleep(60)"))).id)
    assert "temporarily unavailable" in str(job.reason)
    assert not is_alive(pids[0])


async def test_a_job_ends_with_its_code_and_both_streams(engine: JobEngine) -> None:
    script = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    job = await engine.wait((await engine.start(order(script))).id)
    assert (job.state, job.status_code, job.stdout, job.stderr) == (JobState.FAILED, 3, "out\n", "err\n")
    assert job.output_bytes == 8
    assert job.duration_seconds is not None


async def test_output_arrives_while_it_runs_and_from_any_offset(engine: JobEngine) -> None:
    job = await engine.start(order("import os, time; os.write(1, b'one\\n'); time.sleep(60)"))
    chunks = engine.output(job.id)
    async with asyncio.timeout(20):
        first = await anext(chunks)
    assert (first.offset, first.data) == (0, b"one\n")
    await engine.cancel(job.id)
    assert await collect(engine, job.id, 2) == b"e\n"


async def test_the_same_order_twice_is_one_job(engine: JobEngine) -> None:
    one = msgspec.structs.replace(order("pass"), key="k", requested_by="me")
    first = await engine.start(one)
    assert (await engine.start(one)).id == first.id
    assert (await engine.start(msgspec.structs.replace(one, requested_by="you"))).id != first.id
    with pytest.raises(BusyError, match="used for another request"):
        await engine.start(msgspec.structs.replace(order("1"), key="k", requested_by="me"))


async def test_a_full_disk_stops_no_job(engine: JobEngine, tmp_path: Path) -> None:
    (tmp_path / "jobs").rmdir()
    job = await engine.wait((await engine.start(order("print('said')"))).id)
    assert (job.state, job.stdout, job.lost_bytes) == (JobState.SUCCEEDED, "said\n", 5)


async def test_two_readers_get_the_same(engine: JobEngine) -> None:
    job = await engine.start(order("[print('x' * 100) for _ in range(20000)]"))
    one, two = await asyncio.gather(collect(engine, job.id), collect(engine, job.id))
    assert one == two == (b"x" * 100 + b"\n") * 20000


async def test_a_job_is_cancelled_with_its_children(engine: JobEngine) -> None:
    script = "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid); time.sleep(60)"
    job = await engine.start(order(script))
    async with asyncio.timeout(20):
        child = int((await anext(engine.output(job.id))).data)
    assert (await engine.cancel(job.id)).state is JobState.CANCELLED
    await until_gone(child)


async def test_one_that_ignores_term_is_killed_after_its_deadline(
    engine: JobEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fks_master.control.jobs.process.GRACE_SECONDS", 0.1)
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1); time.sleep(60)"
    job = await engine.start(order(script, deadline=1.0))
    job = await engine.wait(job.id)
    assert job.state is JobState.TIMED_OUT
    assert job.reason == "not done after 1 s"


async def test_what_a_program_leaves_behind_is_killed(engine: JobEngine) -> None:
    script = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid)"
    job = await engine.wait((await engine.start(order(script))).id)
    assert job.state is JobState.SUCCEEDED
    await until_gone(int(job.stdout))


async def test_one_job_holds_a_lock_and_others_run(engine: JobEngine) -> None:
    job = await engine.start(order("import time; time.sleep(60)", lock="p"))
    with pytest.raises(BusyError, match="up of p is under way") as refused:
        await engine.start(order("pass", lock="p"))
    assert refused.value.job_id == job.id
    other = await engine.start(order("pass", lock="q"))
    assert (await engine.wait(other.id)).state is JobState.SUCCEEDED
    await engine.cancel(job.id)
    again = await engine.start(order("pass", lock="p"))
    assert (await engine.wait(again.id)).state is JobState.SUCCEEDED


async def test_a_program_that_is_not_there_is_a_failed_job(engine: JobEngine) -> None:
    missing = Order(action="up", project="p", command=("/no/such/docker",), folder="/", deadline_seconds=5)
    job = await engine.wait((await engine.start(missing)).id)
    assert (job.state, job.status_code) == (JobState.FAILED, None)
    assert job.reason == "/no/such/docker cannot be run: No such file or directory"


async def test_jobs_and_output_are_kept_over_a_restart(engine: JobEngine, tmp_path: Path) -> None:
    job = await engine.wait((await engine.start(order("print('kept')"))).id)
    later = JobEngine(tmp_path / "jobs", SystemClock())
    assert later.get(job.id) == job
    assert await collect(later, job.id) == b"kept\n"
    assert (tmp_path / "jobs").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "jobs" / job.id).iterdir()} == {0o600}
    await later.close()


async def test_ending_interrupts_what_runs(tmp_path: Path) -> None:
    engine = JobEngine(tmp_path / "jobs", SystemClock())
    job = await engine.start(order("import time; time.sleep(60)"))
    await engine.close()
    assert engine.get(job.id).state is JobState.INTERRUPTED


KILLED = """
import asyncio, sys
from pathlib import Path
from fks_master.clock import SystemClock
from fks_master.control.jobs.engine import JobEngine
from fks_master.control.jobs.job import Order

async def main():
    engine = JobEngine(Path(sys.argv[1]), SystemClock())
    script = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    order = Order(action="up", project="p", command=(sys.executable, "-c", script), folder="/", deadline_seconds=60)
    job = await engine.start(order)
    async for chunk in engine.output(job.id):
        print(job.id, chunk.data.decode().strip(), flush=True)

asyncio.run(main())
"""


async def test_killed_in_the_middle_it_leaves_no_orphan_and_says_interrupted(tmp_path: Path) -> None:
    ours = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(tmp_path / "jobs"), stdout=asyncio.subprocess.PIPE
    )
    assert ours.stdout is not None
    async with asyncio.timeout(30):
        job_id, pid = (await ours.stdout.readline()).decode().split()
    ours.send_signal(signal.SIGKILL)
    await ours.wait()
    await until_gone(int(pid))
    engine = JobEngine(tmp_path / "jobs", SystemClock())
    assert engine.get(job_id).state is JobState.INTERRUPTED
    assert int(await collect(engine, job_id)) == int(pid)
    await engine.close()


def test_a_spool_keeps_the_beginning_and_the_end(tmp_path: Path) -> None:
    spool = Spool(tmp_path, file_bytes=10, last_kept=2)
    for number in range(10):
        spool.append(f"{number:07d}".encode())
    assert spool.end == 70
    assert spool.read(0, 100) == (0, b"0000000000")
    start, data = spool.read(12, 100)
    assert start > 12
    assert start % 10 == 0
    assert data
    assert spool.read(70, 100) == (70, b"")
    assert Spool(tmp_path, file_bytes=10, last_kept=2).end == 70
    assert len(list(tmp_path.iterdir())) <= 3


def test_a_spool_that_cannot_write_counts_what_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    spool = Spool(folder)
    spool.append(b"12345")
    assert (spool.end, spool.lost) == (0, 5)
