"""Tasks that run beside the server for as long as it does."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self


class Background:
    """The one group of background tasks.

    One that fails ends the program with its error, instead of leaving a monitor that no longer watches; on leaving,
    those that still run are cancelled, the last started first, and awaited.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._group.create_task(work, name=getattr(work, "__qualname__", None))
        self._tasks.append(task)
        task.add_done_callback(self._tasks.remove)

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in reversed(self._tasks):
            task.cancel()
        await self._group.__aexit__(kind, error, trace)
