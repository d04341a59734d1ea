import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec
from tests.servers import Recorder, listening, quietly, service

from fks_master.model import Outcome

SERVICES = 40

PROGRAM = """
import asyncio, sys
from fks_master.clock import SystemClock
from fks_master.model import Service
from fks_master.probes.prober import Prober
from fks_master.scheduler.loop import Scheduler

async def main(port):
    clock = SystemClock()
    prober = Prober(clock)
    prober.start()
    tell = lambda *words: print(*words, flush=True)
    scheduler = Scheduler(prober.probe, lambda one: tell(one.outcome), clock, 100, on_pause=lambda _: tell("pause"))
    address = f"http://127.0.0.1:{port}/"
    scheduler.watch([Service(str(n), "", address, interval_seconds=1, timeout_seconds=2, tries=1) for n in range(40)])
    await scheduler.run()

asyncio.run(main(int(sys.argv[1])))
"""


async def test_a_stopped_process_counts_no_check_as_failed_and_tells_one_pause() -> None:
    stall = asyncio.Event()
    stalled = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if stall.is_set():
            stalled.set()
            await reader.read()  # in flight for as long as the process stands still
            return
        await Recorder().handle(reader, writer)

    server = await asyncio.start_server(quietly(handle), "127.0.0.1", 0)
    command = [sys.executable, "-c", PROGRAM, str(server.sockets[0].getsockname()[1])]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        said = [await process.stdout.readline() for _ in range(SERVICES)]
        stall.set()
        await stalled.wait()
        os.kill(process.pid, signal.SIGSTOP)
        await asyncio.sleep(4)
        stall.clear()
        os.kill(process.pid, signal.SIGCONT)
        said += [await process.stdout.readline() for _ in range(3 * SERVICES)]
    finally:
        process.kill()
        await process.wait()
        server.close()
    assert b"failure\n" not in said
    assert b"void\n" in said
    assert said.count(b"pause\n") == 1
    assert said[-1] == b"success\n"


async def test_a_blocked_loop_fails_no_check(watching: Callable[..., Any]) -> None:
    async def take_time(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        await Recorder().handle(reader, writer)

    async with listening(take_time, backlog=1000) as port:
        one = service(port, interval_seconds=0.5, timeout_seconds=2.0)
        services = [msgspec.structs.replace(one, id=str(number)) for number in range(30)]
        watch = watching(services, 100)
        await watch.until(lambda watch: len(watch.results) >= 30)
        time.sleep(3.5)  # noqa: ASYNC251 - this is the fault
        before = len(watch.results)
        await watch.until(lambda watch: len(watch.results) >= before + 90)
        await watch.close()
    outcomes = {result.outcome for _, result in watch.results}
    assert Outcome.FAILURE not in outcomes
    assert len(watch.pauses) == 1
