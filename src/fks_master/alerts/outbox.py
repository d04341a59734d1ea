"""The outbox: one queue and one task a receiver, so that a slow one delays no other.

1. What is put in is on disk already, or the disk fails and it is told from memory.
2. The head of a queue is sent, with all that has gathered behind it, in order; what follows waits until it is told or
   refused for good.
3. The first of a storm goes at once. What follows waits until it is quiet for a moment and goes as one; the next
   delivery after a storm waits some seconds.
4. A delivery under way is never torn off: who stops the lane waits for it, so that its answer is not forgotten.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import structlog

from fks_master.alerts.notify import KINDS, Answer, Kind, Message, Receiver, Verdict, most_at_once
from fks_master.alerts.store import Delivery
from fks_master.clock import Clock

log = structlog.get_logger(__name__)

Send = Callable[[str, Message], Awaitable[Answer]]
Finish = Callable[[Sequence[Delivery]], Awaitable[None]]
Complain = Callable[[Receiver, Answer], None]

GATHER_SECONDS = 0.05
STORM = 5
QUIET_SECONDS = 0.5
LONGEST_STORM_SECONDS = 5.0
AFTER_STORM_SECONDS = 5.0
FIRST_BACKOFF = 1.0
LONGEST_BACKOFF = 25.0


class Lane:
    """One receiver's queue. `sent`, `refused` and `tried` count deliveries and requests; `answer` is the last one.

    `complain` hears the first refusal after a success.
    """

    def __init__(self, receiver: Receiver, send: Send, finish: Finish, complain: Complain, clock: Clock) -> None:
        self.receiver = receiver
        self.queue: deque[Delivery] = deque()
        self._send = send
        self._finish = finish
        self._complain = complain
        self._clock = clock
        self._wake = asyncio.Event()
        self._random = random.Random()  # noqa: S311 - jitter needs no secrecy
        self._single = 0
        self._failures = 0
        self._delivered_at = float("-inf")
        self.under_way: asyncio.Task[float] | None = None
        self.sent = self.refused = self.tried = 0
        self.is_refusing = False
        self.failing_since: datetime | None = None
        self.answer: str | None = None

    def __len__(self) -> int:
        return len(self.queue)

    @property
    def kind(self) -> Kind:
        return KINDS[self.receiver.kind]

    @property
    def is_failing(self) -> bool:
        return self.failing_since is not None

    def put(self, delivery: Delivery) -> None:
        self.queue.append(delivery)
        self._wake.set()

    async def run(self) -> None:
        while True:
            while not self.queue:
                self._wake.clear()
                await self._wake.wait()
            await self._gather()
            self.under_way = asyncio.ensure_future(self._deliver())
            await self._clock.sleep(await asyncio.shield(self.under_way))

    def render(self, deliveries: Sequence[Delivery]) -> Message:
        notices = [delivery.notice for delivery in deliveries]
        return self.kind.render(self.receiver, notices, self._clock.now())

    async def _gather(self) -> None:
        """Wait a moment for what belongs together; behind the first of a storm, until it is quiet."""
        if most_at_once(self.receiver) == 1:
            return
        await self._clock.sleep(GATHER_SECONDS)
        now = self._clock.monotonic()
        if now - self._delivered_at > AFTER_STORM_SECONDS:
            return
        seen = 0
        while STORM <= len(self.queue) != seen and self._clock.monotonic() < now + LONGEST_STORM_SECONDS:
            seen = len(self.queue)
            await self._clock.sleep(QUIET_SECONDS)

    async def _deliver(self) -> float:
        """Try the head of the queue once; return for how many seconds to let the receiver be."""
        batch = self._head()
        answer = await self._try(batch)
        self._note(batch, answer)
        if answer.verdict is Verdict.AGAIN:
            self._failures += 1
            return self._pause(answer)
        self._failures = 0
        await self._settle(batch, answer)
        self._delivered_at = self._clock.monotonic()
        return AFTER_STORM_SECONDS if len(batch) >= STORM else 0.0

    def _head(self) -> list[Delivery]:
        most = 1 if self._single else most_at_once(self.receiver)
        self._single = max(0, self._single - 1)
        return [self.queue[index] for index in range(min(most, len(self.queue)))]

    async def _try(self, batch: list[Delivery]) -> Answer:
        self.tried += 1
        try:
            message = self.render(batch)
        except Exception as error:
            log.exception("notification_unwritable", receiver=self.receiver.name, id=batch[0].id)
            return Answer(Verdict.REFUSED, f"cannot be written: {type(error).__name__}")
        return await self._send(self.receiver.name, message)

    def _note(self, batch: list[Delivery], answer: Answer) -> None:
        """Remember how it went, and say it on the flip."""
        for delivery in batch:
            delivery.tries += 1
            delivery.answer = answer.text
        self.answer = answer.text
        is_sent = answer.verdict is Verdict.SENT
        if not is_sent and not self.is_failing:
            self.failing_since = self._clock.now()
            log.warning("notification_failed", receiver=self.receiver.name, answer=answer.text)
        elif is_sent and self.is_failing:
            self.failing_since = None
            log.info("notifications_work_again", receiver=self.receiver.name)

    def _pause(self, answer: Answer) -> float:
        backoff: float = min(FIRST_BACKOFF * 2 ** min(self._failures - 1, 10), LONGEST_BACKOFF)
        return max(answer.retry_after or 0.0, backoff * self._random.uniform(0.8, 1.0))

    async def _settle(self, batch: list[Delivery], answer: Answer) -> None:
        is_sent = answer.verdict is Verdict.SENT
        if not is_sent and len(batch) > 1:
            self._single = len(batch)  # one of them may be at fault: find out which
            return
        for delivery in batch:
            self.queue.popleft()
            delivery.state, delivery.finished = answer.verdict.value, self._clock.now()
        if is_sent:
            self.sent += len(batch)
            self.is_refusing = False
        else:
            self._refused(batch[0], answer)
        await self._finish(batch)

    def _refused(self, delivery: Delivery, answer: Answer) -> None:
        self.refused += 1
        log.error("notification_refused", receiver=self.receiver.name, id=delivery.id, answer=answer.text)
        if not self.is_refusing:
            self.is_refusing = True
            self._complain(self.receiver, answer)
