"""All receivers' queues: made and removed with the configuration, stopped without tearing anything off.

What waits for a receiver that the configuration no longer names waits for its return, in the store and here.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime

import structlog

from fks_master.alerts.notify import Answer, Receiver
from fks_master.alerts.outbox import Finish, Lane
from fks_master.alerts.sender import Sender
from fks_master.alerts.store import Delivery
from fks_master.clock import Clock
from fks_master.model import Event, EventType

log = structlog.get_logger(__name__)

CLOSE_SECONDS = 3.0
LONG_SECONDS = 300.0


class Lanes:
    """Owns the lanes, by the names of their receivers. `announce` hears of receivers that give trouble."""

    def __init__(self, finish: Finish, clock: Clock) -> None:
        self.by_name: dict[str, Lane] = {}
        self.sender = Sender()
        self.announce: Callable[[Event], None] = lambda _: None
        self._finish = finish
        self._clock = clock
        self._orphans: list[Delivery] = []
        self._long: set[str] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def reconfigure(self, receivers: Iterable[Receiver]) -> None:
        """Have a lane for exactly these; what is queued for one that stays goes to its new form."""
        fresh = {receiver.name: receiver for receiver in receivers}
        for name in self.by_name.keys() - fresh.keys():
            self._remove(name)
        for receiver in fresh.values():
            lane = self.by_name.get(receiver.name)
            if lane is None:
                self.by_name[receiver.name] = Lane(
                    receiver, self.sender.send, self._finish, self._complain, self._clock
                )
            else:
                lane.receiver = receiver
        orphans, self._orphans = self._orphans, []
        self.hand_over(one for one in orphans if one.state == "pending")

    def hand_over(self, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            lane = self.by_name.get(delivery.receiver)
            if lane is not None:
                lane.put(delivery)
            else:
                self._orphans.append(delivery)
                log.warning("receiver_gone", receiver=delivery.receiver, id=delivery.id)

    def waiting(self) -> dict[str, Delivery]:
        """Give what is queued, by id, with how its tries went so far."""
        return {one.id: one for lane in self.by_name.values() for one in lane.queue}

    def start(self) -> None:
        """Start the lanes that are new. Raises what ended one that should not have ended."""
        for name, lane in self.by_name.items():
            task = self._tasks.get(name)
            if task is None:
                self._tasks[name] = asyncio.ensure_future(lane.run())
            elif task.done():
                task.result()

    async def close(self) -> None:
        """Stop; what is just being sent has a moment to be answered, so that it is not told again."""
        for task in self._tasks.values():
            task.cancel()
        lanes = self.by_name.values()
        under_way = [lane.under_way for lane in lanes if lane.under_way and not lane.under_way.done()]
        if under_way:
            await asyncio.wait(under_way, timeout=CLOSE_SECONDS)
        self.sender.close()
        for each in under_way:
            each.cancel()
        await asyncio.gather(*self._tasks.values(), *under_way, return_exceptions=True)

    def complain_of_long_failures(self, now: datetime) -> None:
        """Say once of each receiver that it has been out of reach for long."""
        for name, lane in self.by_name.items():
            if lane.failing_since is None:
                self._long.discard(name)
            elif name not in self._long and (now - lane.failing_since).total_seconds() > LONG_SECONDS:
                self._long.add(name)
                self._say(name, f"has not been reached for five minutes: {lane.answer}")

    def _complain(self, receiver: Receiver, answer: Answer) -> None:
        """Say out loud that a notification is lost: whoever else is told hears of it."""
        self._say(receiver.name, f"refused a notification for good: {answer.text}")

    def _say(self, name: str, what: str) -> None:
        data: dict[str, object] = {"receiver": name}
        message = f"The receiver {name} {what}"
        self.announce(Event(EventType.SYSTEM_ALERT, message, self._clock.now(), data=data))

    def _remove(self, name: str) -> None:
        self._orphans += self.by_name.pop(name).queue
        if task := self._tasks.pop(name, None):
            task.cancel()
