import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from fks_master.clock import Clock, SystemClock
from fks_master.model import Result, Service
from fks_master.probes.prober import Prober
from fks_master.scheduler.loop import Scheduler

PATIENCE = 60.0


class Watch:
    """Services under a real scheduler and prober, with every result and the moment at which it came."""

    def __init__(self, services: Sequence[Service], batch_size: int, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.prober = Prober(self.clock)
        self.pauses: list[float] = []
        self.results: list[tuple[float, Result]] = []
        self._came = asyncio.Event()
        self._is_closed = False
        self.prober.start()
        self.scheduler = Scheduler(self.prober.probe, self._take, self.clock, batch_size, on_pause=self.pauses.append)
        self.scheduler.watch(list(services))
        self._task = asyncio.create_task(self.scheduler.run())

    def _take(self, result: Result) -> None:
        self.results.append((time.monotonic(), result))
        self._came.set()

    async def until(self, holds: Callable[["Watch"], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds(self):
                self._came.clear()
                await self._came.wait()

    def of(self, service_id: str) -> list[Result]:
        return [result for _, result in self.results if result.service_id == service_id]

    def moments(self, service_id: str) -> list[float]:
        return [at for at, result in self.results if result.service_id == service_id]

    async def close(self) -> None:
        """Stop; before the targets do, lest their end be taken for a fault."""
        if self._is_closed:
            return
        self._is_closed = True
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.prober.close()


@pytest.fixture
async def watching() -> AsyncIterator[Callable[..., Watch]]:
    watches = []

    def watch(*arguments: object, **options: object) -> Watch:
        watches.append(Watch(*arguments, **options))  # type: ignore[arg-type]
        return watches[-1]

    yield watch
    for one in watches:
        await one.close()
