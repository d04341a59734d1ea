"""A program in a process group of its own, which ends when we say, and at the latest when we do.

1. A guardian, the smallest shell, holds a pipe from us. If we die, however suddenly, the pipe ends and the guardian
   ends the group.
2. Ending means TERM to the group, and KILL for what is left after the grace.
3. After the program's own end, whatever it left behind in its group is killed.
"""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress

GRACE_SECONDS = 5.0
_GUARD = 'read -r _; kill -s TERM -- "-$1"; sleep 5; kill -s KILL -- "-$1"'


class Program:
    """One running program and its group."""

    def __init__(self, process: Process, guardian: Process) -> None:
        self._process = process
        self._guardian = guardian

    @property
    def pid(self) -> int:
        return self._process.pid

    async def wait(self) -> int:
        """Return the exit code; negative: the signal that ended it."""
        return await self._process.wait()

    async def end(self) -> int:
        """End the whole group, within the grace."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                return await self._process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            return await self._process.wait()

    async def release(self) -> None:
        """Clear up after the end of the program."""
        self._signal(signal.SIGKILL)
        with suppress(ProcessLookupError):
            self._guardian.kill()
        await self._guardian.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


async def spawn(
    command: Sequence[str], folder: str, environment: Mapping[str, str], stdout: int, stderr: int
) -> Program:
    """Start the program with its input closed; it does not run without its guardian. Raises OSError."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=stdout, stderr=stderr, cwd=folder, env=environment, start_new_session=True
    )
    try:
        guardian = await asyncio.create_subprocess_exec(
            *("/bin/sh", "-c", _GUARD, "guardian", str(process.pid)),
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=DEVNULL,
            env={"PATH": environment.get("PATH", os.defpath)},
            start_new_session=True,
        )
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    return Program(process, guardian)
