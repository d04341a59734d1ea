"""The outbox: one queue and one task a receiver, so that a slow one delays no other.

1. What is put in is on disk already, or the disk fails and it is told from memory.
2. The head of a queue is sent, with all that has gathered behind it, in order; what follows waits until it is told or
   refused for good.
3. A storm (several notices at once) waits until it is quiet for a moment and goes as one; the next delivery after a
   storm waits some seconds.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog

from fks_master.alerts.notice import Notice
from fks_master.alerts.notify import KINDS, Receiver, Request
from fks_master.alerts.notify.webhook import signed
from fks_master.alerts.post import Answer, Verdict
from fks_master.alerts.store import Delivery
from fks_master.clock import Clock

log = structlog.get_logger(__name__)

Send = Callable[[Request], Awaitable[Answer]]
Finish = Callable[[Sequence[Delivery]], Awaitable[None]]

GATHER_SECONDS = 0.05
STORM = 5
QUIET_SECONDS = 0.5
LONGEST_STORM_SECONDS = 5.0
AFTER_STORM_SECONDS = 5.0
FIRST_BACKOFF = 1.0
LONGEST_BACKOFF = 30.0
MOST_AT_ONCE = 1000


class Lane:
    """One receiver's queue. `sent`, `refused` and `tried` count deliveries and requests."""

    def __init__(self, receiver: Receiver, send: Send, finish: Finish, clock: Clock) -> None:
        self.receiver = receiver
        self._send = send
        self._finish = finish
        self._clock = clock
        self._queue: deque[Delivery] = deque()
        self._wake = asyncio.Event()
        self._random = random.Random()  # noqa: S311 - jitter needs no secrecy
        self._single = 0
        self.sent = self.refused = self.tried = 0
        self.is_failing = False

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, delivery: Delivery) -> None:
        self._queue.append(delivery)
        self._wake.set()

    async def run(self) -> None:
        failures = 0
        while True:
            while not self._queue:
                self._wake.clear()
                await self._wake.wait()
            await self._gather()
            batch = self._head()
            answer = await self._try(batch)
            failures = failures + 1 if answer.verdict is Verdict.AGAIN else 0
            if answer.verdict is Verdict.AGAIN:
                await self._clock.sleep(self._pause(failures, answer))
            else:
                await self._settle(batch, answer)
                if len(batch) >= STORM:
                    await self._clock.sleep(AFTER_STORM_SECONDS)

    async def _gather(self) -> None:
        """Wait a moment for what belongs together; in a storm, until it is quiet."""
        await self._clock.sleep(GATHER_SECONDS)
        ends = self._clock.monotonic() + LONGEST_STORM_SECONDS
        seen = 0
        while STORM <= len(self._queue) != seen and self._clock.monotonic() < ends:
            seen = len(self._queue)
            await self._clock.sleep(QUIET_SECONDS)

    def _head(self) -> list[Delivery]:
        most = 1 if self._single else MOST_AT_ONCE
        self._single = max(0, self._single - 1)
        return [self._queue[index] for index in range(min(most, len(self._queue)))]

    async def _try(self, batch: list[Delivery]) -> Answer:
        self.tried += 1
        for delivery in batch:
            delivery.tries += 1
        answer = await self._send(self.request([delivery.notice for delivery in batch]))
        is_failing = answer.verdict is not Verdict.SENT
        if is_failing and not self.is_failing:
            log.warning("notification_failed", receiver=self.receiver.name, answer=answer.text)
        elif self.is_failing and not is_failing:
            log.info("notifications_work_again", receiver=self.receiver.name)
        self.is_failing = is_failing
        return answer

    def request(self, notices: Sequence[Notice]) -> Request:
        request = KINDS[self.receiver.kind](self.receiver, notices)
        if self.receiver.secret and self.receiver.kind == "webhook":
            return signed(request, self.receiver.secret, int(self._clock.now().timestamp()))
        return request

    def _pause(self, failures: int, answer: Answer) -> float:
        backoff: float = min(FIRST_BACKOFF * 2 ** min(failures - 1, 10), LONGEST_BACKOFF)
        return max(answer.retry_after or 0.0, backoff * self._random.uniform(0.8, 1.0))

    async def _settle(self, batch: list[Delivery], answer: Answer) -> None:
        is_sent = answer.verdict is Verdict.SENT
        if not is_sent and len(batch) > 1:
            self._single = len(batch)  # one of them may be at fault: find out which
            return
        for delivery in batch:
            self._queue.popleft()
            delivery.state, delivery.answer, delivery.finished = answer.verdict.value, answer.text, self._clock.now()
        if is_sent:
            self.sent += len(batch)
        else:
            self.refused += len(batch)
            log.error("notification_refused", receiver=self.receiver.name, id=batch[0].id, answer=answer.text)
        await self._finish(batch)
