"""The two lanes of checks in flight: the slots of `batch_size`, and the far wider lane of those that only wait."""

from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Generic, TypeVar

WAITING_LANE = 2000


class Lane(Enum):
    """Where a check is: nowhere yet or any more, in a slot, or only waiting."""

    NONE = auto()
    SLOT = auto()
    WAITING = auto()


class Place:
    """What can stand in a lane."""

    __slots__ = ("lane",)

    def __init__(self) -> None:
        self.lane = Lane.NONE


One = TypeVar("One", bound=Place)


class Lanes(Generic[One]):
    """How many may be worked on at once, and how many may wait for a silent target; `begin` hears whose turn it is."""

    def __init__(self, batch_size: int, begin: Callable[[One], None], waiting: int = WAITING_LANE) -> None:
        self._begin = begin
        self._queue: deque[One] = deque()
        self._is_filling = False
        self._size = self.free = batch_size
        self.waiting = 0
        self.most_waiting = waiting
        self.in_slots: dict[One, None] = {}  # in the order in which they came

    def resize(self, batch_size: int) -> None:
        """Have so many slots from now on; those who are in one too many stay until they leave."""
        self.free += batch_size - self._size
        self._size = batch_size
        self._fill()

    def enter(self, one: One) -> None:
        """Begin now, or in its turn."""
        if self.free > 0 and not self._queue:
            self._give_slot(one)
        else:
            self._queue.append(one)

    def withdraw(self, which: Callable[[One], bool]) -> list[One]:
        """Take back those of whom `which` is true and whose turn has not come."""
        withdrawn = [one for one in self._queue if which(one)]
        self._queue = deque(one for one in self._queue if not which(one))
        return withdrawn

    def move_to_waiting(self, one: One) -> None:
        """Take the slot back and let it go on waiting, if the waiting lane has room."""
        if one.lane is Lane.SLOT and self.waiting < self.most_waiting:
            self.leave(one)
            self.waiting += 1
            one.lane = Lane.WAITING

    def leave(self, one: One) -> None:
        lane, one.lane = one.lane, Lane.NONE
        if lane is Lane.WAITING:
            self.waiting -= 1
        elif lane is Lane.SLOT:
            del self.in_slots[one]
            self.free += 1
            self._fill()

    def _fill(self) -> None:
        """Give every free slot away; one that leaves again at once does not make us begin within ourselves."""
        if self._is_filling:
            return
        self._is_filling = True
        try:
            while self._queue and self.free > 0:
                self._give_slot(self._queue.popleft())
        finally:
            self._is_filling = False

    def _give_slot(self, one: One) -> None:
        self.free -= 1
        one.lane = Lane.SLOT
        self.in_slots[one] = None
        self._begin(one)
