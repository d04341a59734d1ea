"""The fleet as a process of its own: prints its config's path, then plays until it is stopped or its parent is gone.

It is watched by a monitor in another process, so that neither falsifies the other's timing.
"""

import asyncio
import os
import signal
import stat
import sys
import tempfile
from pathlib import Path

import click
import uvloop

from fks_master.demo.behaviours import Behaviour
from fks_master.demo.fleet import Fleet
from fks_master.demo.script import ROUND_SECONDS, SCRIPT, config, names

OWN_PORTS = 200  # above this many services share ports
PARENT_SECONDS = 1.0


@click.command()
@click.option("--size", default=11, show_default=True, type=click.IntRange(1, 100_000), help="How many services.")
@click.option("--interval", default=2.0, show_default=True, help="Seconds between two checks, in the config.")
@click.option("--calm", is_flag=True, help="Without misbehaviour.")
@click.option("--config", "path", type=click.Path(path_type=Path), help="Where to write the config [a temporary file].")
def main(size: int, interval: float, path: Path | None, *, calm: bool) -> None:
    """Play a stack of simulated services.

    Commands on standard input, if it is a pipe, a line each: SERVICE BEHAVIOUR, such as `fks_api error`;
    or `requests?`, which is answered with how many there were.
    """
    uvloop.run(play(size, interval, path, is_calm=calm))


async def play(size: int, interval: float, path: Path | None, *, is_calm: bool) -> None:
    fleet = Fleet()
    service_ids = names(size)
    await fleet.start(service_ids, shared=size > OWN_PORTS)
    with tempfile.TemporaryDirectory(prefix="fks_demo_") as folder:
        target = path or Path(folder, "monitor.toml")
        target.write_text(config({name: fleet.address(name) for name in service_ids}, interval), encoding="utf-8")
        print(target, flush=True)  # noqa: T201 - the answer our caller waits for
        tasks = [asyncio.create_task(_obey(fleet)), asyncio.create_task(_outlive_nobody(os.getppid()))]
        if not is_calm:
            tasks.append(asyncio.create_task(_perform(fleet, set(service_ids))))
        _stop_on_signals(tasks[1])
        await asyncio.gather(tasks[1], return_exceptions=True)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await fleet.close()


async def _perform(fleet: Fleet, cast: set[str]) -> None:
    while True:
        begun = asyncio.get_running_loop().time()
        for at, service_id, behaviour in SCRIPT:
            await asyncio.sleep(begun + at - asyncio.get_running_loop().time())
            if service_id in cast:
                await fleet.behave(service_id, behaviour)
        await asyncio.sleep(begun + ROUND_SECONDS - asyncio.get_running_loop().time())


async def _obey(fleet: Fleet) -> None:
    if not stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        return
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        service_id, _, behaviour = line.decode().strip().partition(" ")
        if service_id == "requests?":
            print(fleet.requests, flush=True)  # noqa: T201 - the answer our caller waits for
            continue
        await fleet.behave(service_id, Behaviour(behaviour))
        print("done", flush=True)  # noqa: T201 - the answer our caller waits for


async def _outlive_nobody(parent: int) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110 - a parent's death makes no event
        await asyncio.sleep(PARENT_SECONDS)


def _stop_on_signals(task: "asyncio.Task[None]") -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


if __name__ == "__main__":
    main()
