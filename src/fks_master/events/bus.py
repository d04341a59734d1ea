"""The bus: numbers what happened and hands it to bounded queues.

A subscriber that is too slow loses its own items, counted, and is told that it must resynchronise from a snapshot. It
never slows the publisher: `publish` does no I/O and never waits.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Subscription(Generic[Item]):
    """One reader's queue. `lost` counts what did not fit; reading `take_all` clears the mark."""

    def __init__(self, capacity: int) -> None:
        self._items: deque[Item] = deque()
        self._capacity = capacity
        self._wake = asyncio.Event()
        self.lost = 0
        self.must_resync = False

    def put(self, item: Item) -> None:
        if len(self._items) >= self._capacity:
            self.lost += len(self._items)
            self._items.clear()
            self.must_resync = True
        self._items.append(item)
        self._wake.set()

    async def take_all(self) -> list[Item]:
        """Wait for at least one item, then return everything queued."""
        await self._wake.wait()
        return self.take()

    def take(self) -> list[Item]:
        """Return what is queued, be it nothing."""
        self._wake.clear()
        items = list(self._items)
        self._items.clear()
        return items


class Bus(Generic[Item]):
    """Publishes to every subscription."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription[Item]] = set()

    def publish(self, item: Item) -> None:
        for subscription in self._subscriptions:
            subscription.put(item)

    @contextmanager
    def subscribe(self, capacity: int = 1024) -> Iterator[Subscription[Item]]:
        subscription = Subscription[Item](capacity)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def __len__(self) -> int:
        return len(self._subscriptions)
