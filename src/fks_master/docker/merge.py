"""Several logs as one, by time.

1. Each log is read ahead by a task of its own, up to a bound, so that a burst is sorted at once.
2. The earliest line goes as soon as every log has one to compare it with, or has ended.
3. A log that is silent is waited for, but no line is held longer than the patience. Without patience it is waited for
   to its end: then the order is exact.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import suppress

from fks_master.docker.lines import LogLine

MOST_AHEAD = 500


class _Source:
    """One log, and its lines that wait, each with the moment at which it came."""

    def __init__(self, name: str, lines: AsyncIterator[LogLine], news: asyncio.Event) -> None:
        self.name = name
        self.waiting: deque[tuple[float, LogLine]] = deque()
        self._lines = lines
        self._news = news
        self._room = asyncio.Event()
        self.reading = asyncio.create_task(self._read())
        self.reading.add_done_callback(lambda _: news.set())

    async def _read(self) -> None:
        now = asyncio.get_running_loop().time
        async for line in self._lines:
            self.waiting.append((now(), line))
            self._news.set()
            while len(self.waiting) >= MOST_AHEAD:
                self._room.clear()
                await self._room.wait()

    def take(self) -> LogLine:
        self._room.set()
        return self.waiting.popleft()[1]


async def merge(
    streams: Sequence[tuple[str, AsyncIterator[LogLine]]], patience: float | None
) -> AsyncGenerator[tuple[str, LogLine]]:
    """Yield the lines of all by time. What breaks one of them is raised once nothing of it waits any more."""
    news = asyncio.Event()
    sources = [_Source(name, lines, news) for name, lines in streams]
    try:
        while sources:
            news.clear()
            ready = [one for one in sources if one.waiting]
            if ready and (limit := _seconds_left(sources, ready, patience)) <= 0:
                first = min(ready, key=lambda one: one.waiting[0][1].timestamp)
                yield first.name, first.take()
            elif ended := [one for one in sources if one.reading.done() and not one.waiting]:
                for one in ended:
                    sources.remove(one)
                    one.reading.result()
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(limit if ready and limit < float("inf") else None):
                        await news.wait()
    finally:
        for one in sources:
            one.reading.cancel()
        await asyncio.gather(*(one.reading for one in sources), return_exceptions=True)


def _seconds_left(sources: Sequence[_Source], ready: Sequence[_Source], patience: float | None) -> float:
    """Return how long the earliest line has to wait yet."""
    if all(one.waiting or one.reading.done() for one in sources):
        return 0.0
    if patience is None:
        return float("inf")
    return min(one.waiting[0][0] for one in ready) + patience - asyncio.get_running_loop().time()
