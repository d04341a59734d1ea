"""A place that whatever is told can be told to."""

from typing import Generic, TypeVar

T = TypeVar("T")


class Recorded(Generic[T]):
    """Call it as a notifier, sink or listener; `items` are what it was told, in order."""

    def __init__(self) -> None:
        self.items: list[T] = []

    def __call__(self, item: T) -> None:
        self.items.append(item)

    async def send(self, item: T) -> None:
        self.items.append(item)
