"""The two lanes of checks in flight: the slots of `batch_size`, and the far wider lane of those that only wait."""

import asyncio


class Slot:
    """One check's place in a lane; it holds at most one at a time."""

    def __init__(self, slots: asyncio.Semaphore, waiting: asyncio.Semaphore) -> None:
        self._slots = slots
        self._waiting = waiting
        self._held: asyncio.Semaphore | None = None

    async def acquire(self) -> None:
        if self._held is None:
            await self._slots.acquire()
            self._held = self._slots

    async def move_to_waiting(self) -> None:
        """Give the slot back and go on waiting, once the waiting lane has room."""
        if self._held is self._slots:
            await self._waiting.acquire()
            self._slots.release()
            self._held = self._waiting

    def release(self) -> None:
        if self._held is not None:
            self._held.release()
            self._held = None
