"""Hands messages to their carriers: each try in a thread of its own and behind a deadline.

The threads are daemons: one that a library keeps hanging holds up neither the receiver's queue, nor the others, nor
the end of the program. A receiver whose earlier tries still hang gets no further thread.
"""

import asyncio
import threading
from collections import Counter
from typing import Protocol

import structlog

from fks_master.alerts.notify import Answer, Mail, Message, Request, Verdict
from fks_master.tracing import Kind, NoTracer, Tracer

log = structlog.get_logger(__name__)

DEADLINE_SECONDS = 28.0  # HTTP gives up earlier; a mail server may take its time
MOST_HANGING = 2


class Try(Protocol):
    """One try of one message: `run` blocks, `abort` may end it early."""

    def run(self) -> Answer: ...

    def abort(self) -> None: ...


def _carrier(message: Message) -> Try:
    """Make the try; its library is loaded when the first message of its kind goes out."""
    if isinstance(message, Request):
        from fks_master.alerts.post import Post  # noqa: PLC0415

        return Post(message)
    if isinstance(message, Mail):
        from fks_master.alerts.smtp import Delivery  # noqa: PLC0415

        return Delivery(message)
    from fks_master.alerts.push import Pushing  # noqa: PLC0415

    return Pushing(message)


class Sender:
    """Sends, each try in a span of `tracer`; `close` aborts what is under way."""

    def __init__(self, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._deadline = deadline_seconds
        self._threads: Counter[str] = Counter()
        self._tries: set[Try] = set()
        self._is_closed = False
        self.tracer: Tracer = NoTracer()

    async def send(self, receiver: str, message: Message) -> Answer:
        with self.tracer.span("notification", {"fks.receiver": receiver}, kind=Kind.CLIENT) as span:
            answer = await self._send(receiver, message)
            if answer.verdict is not Verdict.SENT:
                span.fail(answer.text)
            return answer

    async def _send(self, receiver: str, message: Message) -> Answer:
        if self._threads[receiver] >= MOST_HANGING or self._is_closed:
            return Answer(Verdict.AGAIN, "the monitor stops" if self._is_closed else "earlier tries still hang")
        one = _carrier(message)
        self._tries.add(one)
        answered = self._start(receiver, one)
        try:
            async with asyncio.timeout(self._deadline):
                return await answered
        except TimeoutError:
            return Answer(Verdict.AGAIN, f"no answer within {self._deadline:g} s")
        finally:
            self._tries.discard(one)
            one.abort()

    def close(self) -> None:
        self._is_closed = True
        for one in self._tries:
            one.abort()

    def _start(self, receiver: str, one: Try) -> "asyncio.Future[Answer]":
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Answer] = loop.create_future()

        def finish(answer: Answer) -> None:
            self._threads[receiver] -= 1
            if not answered.done():
                answered.set_result(answer)

        def work() -> None:
            try:
                answer = one.run()
            except Exception as error:  # noqa: BLE001 - whatever a library raises is an answer, too
                log.warning("carrier_failed", receiver=receiver, error=type(error).__name__)
                answer = Answer(Verdict.AGAIN, f"failed: {type(error).__name__}")
            try:
                loop.call_soon_threadsafe(finish, answer)
            except RuntimeError:
                return  # the loop has ended meanwhile

        self._threads[receiver] += 1
        threading.Thread(target=work, name=f"notify-{receiver}", daemon=True).start()
        return answered
