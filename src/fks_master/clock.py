"""Time, handed in: the one module that may read the system's clocks or sleep."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the rest of the program knows of time."""

    def monotonic(self) -> float:
        """Seconds on a clock that never steps; decides when something is due."""
        ...

    def now(self) -> datetime:
        """Wall time in UTC; only ever written down."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
