"""What may wait: each thing has its turn once in a while, so that the work is spread evenly."""

from itertools import islice
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Turns(Generic[Item]):
    """Things by name, in the order in which they came to wait; the newest word on each counts."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: dict[str, Item] = {}
        self._share = 0.0
        self._taken: float | None = None

    def put(self, name: str, item: Item) -> None:
        self._waiting[name] = item

    def drop(self, name: str) -> None:
        self._waiting.pop(name, None)

    def take(self, now: float, *, everything: bool) -> dict[str, Item]:
        """Take those whose turn it is: as large a share of all as the time since the last call is of the period."""
        self._share += len(self._waiting) * (now - (self._taken or now)) / self._seconds
        count = len(self._waiting) if everything else int(self._share)
        self._share -= int(self._share)
        self._taken = now
        return {name: self._waiting.pop(name) for name in list(islice(self._waiting, count))}
