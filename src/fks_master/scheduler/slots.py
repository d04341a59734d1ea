"""The two lanes of checks in flight: the slots of `batch_size`, and the far wider lane of those that only wait."""

import asyncio

WAITING_LANE = 2000


class Lanes:
    """How many checks may be worked on at once, and how many may wait for a silent target."""

    def __init__(self, batch_size: int, waiting: int = WAITING_LANE) -> None:
        self.slots = asyncio.Semaphore(batch_size)
        self.waiting = 0
        self.most_waiting = waiting


class Slot:
    """One check's place in a lane; it holds at most one at a time."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._holds_slot = False
        self._is_waiting = False

    async def acquire(self) -> None:
        await self._lanes.slots.acquire()
        self._holds_slot = True

    def move_to_waiting(self) -> None:
        """Give the slot back and go on waiting, if the waiting lane has room."""
        if self._holds_slot and self._lanes.waiting < self._lanes.most_waiting:
            self.release()
            self._lanes.waiting += 1
            self._is_waiting = True

    def release(self) -> None:
        if self._holds_slot:
            self._holds_slot = False
            self._lanes.slots.release()
        if self._is_waiting:
            self._is_waiting = False
            self._lanes.waiting -= 1
