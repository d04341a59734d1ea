"""Time that stands still until it is moved."""

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

from fks_master.clock import SystemClock

START = datetime(2026, 1, 1, tzinfo=UTC)
TURNS = 50  # of the loop, for what one sleeper wakes to come to rest
ALWAYS = (True,)


class ManualClock:
    """A Clock whose sleepers wake only by `advance`."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._seconds = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def monotonic(self) -> float:
        return self._seconds

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._seconds)

    async def sleep(self, seconds: float) -> None:
        waking = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._seconds + max(0.0, seconds), next(self._order), waking))
        await waking

    async def advance(self, seconds: float) -> None:
        """Let time pass: everybody whose time comes wakes at that moment, in order, and acts before the next one."""
        end = self._seconds + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._seconds = max(self._seconds, self._sleepers[0][0])
            _, _, waking = heapq.heappop(self._sleepers)
            if not waking.done():
                waking.set_result(None)
                await self.settle()
        self._seconds = end

    async def settle(self) -> None:
        """Let everything run that can run without time passing."""
        loop = asyncio.get_running_loop()
        waiting = getattr(loop, "_ready", ALWAYS)  # of asyncio's own loop; others say nothing
        for _ in range(TURNS):
            turn = loop.create_future()
            loop.call_soon(turn.set_result, None)
            await turn
            if not waiting:
                break


class PassingClock(SystemClock):
    """Goes with what a test writes: `elapsed` seconds after `start`. Who sleeps does so in real time."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.elapsed = 0.0

    def monotonic(self) -> float:
        return self.elapsed

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.elapsed)
