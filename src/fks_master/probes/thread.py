"""The prober's thread: one epoll loop that asks questions over sockets, with two engines.

Checks share no loop with the API: a page that renders neither delays a check nor falsifies its latency.

1. `ask` queues a question; the thread is woken once for all that are asked in one turn of the event loop.
2. The thread begins every waiting question, lets the engines act on what is ready, and collects what ended.
3. Answers cross back to the event loop together: as soon as nothing is under way, or after a few milliseconds. The
   moments in them were taken when they came, so waiting for the others falsifies nothing.

A thread that was itself late by more than a second, or a quarter of a question's timeout, marks what is under way: it
cannot be trusted.
"""

import asyncio
import contextlib
import resource
import select
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from fks_master.clock import Clock
from fks_master.probes.job import Job
from fks_master.probes.plain import Exchange, PlainEngine

if TYPE_CHECKING:
    from fks_master.probes.curl import CurlEngine, Transfer

Answer = TypeVar("Answer")

LAG_SECONDS = 1.0
SHORTEST_LAG_SECONDS = 0.1  # not worth a look
LONGEST_WAIT_SECONDS = 0.25
GATHER_SECONDS = 0.005
MOST_EVENTS = 512
MOST_FILES = 65536


class ProbeThread(Generic[Answer]):
    """Asks from `start` until `close`."""

    def __init__(self, clock: Clock) -> None:
        self._monotonic = clock.monotonic
        self._waiting: deque[Job[Answer]] = deque()
        self._epoll = select.epoll()
        self._ended: list[tuple[Job[Answer], Answer | Exception]] = []
        self._most_connections = raise_file_limit() // 2
        self._plain: PlainEngine[Answer] = PlainEngine(self._epoll, clock.monotonic, self._end, self._most_connections)
        self._curl: CurlEngine[Answer] | None = None  # made when first needed
        self._awake, self._waker = socket.socketpair()
        self._is_woken = False
        self._is_closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._died: asyncio.Future[None] | None = None
        self._thread = threading.Thread(target=self._run, name="prober", daemon=True)

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._died = self._loop.create_future()
        for end in (self._awake, self._waker):
            end.setblocking(False)  # noqa: FBT003 - the socket API is positional
        self._epoll.register(self._awake, select.EPOLLIN)
        self._thread.start()

    def tell(
        self, question: "Transfer[Answer] | Exchange[Answer]", answered: Callable[[Answer | Exception], None]
    ) -> None:
        """Ask, and have the answer told on the event loop."""
        self._waiting.append(Job(question, answered))
        if not self._is_woken and self._loop is not None:
            self._is_woken = True
            self._loop.call_soon(self._wake)

    async def ask(self, question: "Transfer[Answer] | Exchange[Answer]") -> Answer:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def answered(answer: Answer | Exception) -> None:
            if future.done():
                return
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

        self.tell(question, answered)
        return await future

    async def close(self) -> None:
        """Stop within a second: libcurl may be held up, and nobody waits for it."""
        self._is_closing = True
        self._wake()
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join, 1.0)
        self._waker.close()

    async def watch(self) -> None:
        """Wait for ever, or raise what the thread has died of: without it nothing is asked any more."""
        if self._died is not None:
            await self._died

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # the thread is gone, which `watch` tells
            self._waker.send(b"\0")

    def _run(self) -> None:
        try:
            self._ask_on()
        except Exception as error:  # noqa: BLE001 - told where it ends the program
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._die, error)
        finally:
            for engine in self._engines():
                engine.close()
            self._awake.close()
            self._epoll.close()

    def _die(self, error: Exception) -> None:
        if self._died is not None and not self._died.done():
            self._died.set_exception(error)

    def _ask_on(self) -> None:
        awake = self._awake.fileno()
        turned, gathered_since = self._monotonic(), None
        while not self._is_closing:
            seconds = self._seconds_to_wait(turned, gathered_since)
            events = self._epoll.poll(seconds, MOST_EVENTS)
            now = self._monotonic()
            self._mark_paused(now - turned - seconds)
            for descriptor, ready in events:
                if self._plain.owns(descriptor):
                    self._plain.ready(descriptor, ready)
                elif descriptor == awake:
                    self._awake.recv(16)
                    self._is_woken = False  # before the queue is looked at, so that no question is overlooked
                elif self._curl:
                    self._curl.ready(descriptor, ready)
            self._begin_waiting()
            for engine in self._engines():
                engine.turn(now)
            turned = self._monotonic()
            gathered_since = self._hand_over(turned, gathered_since)

    def _engines(self) -> "tuple[PlainEngine[Answer] | CurlEngine[Answer], ...]":
        return (self._plain,) if self._curl is None else (self._plain, self._curl)

    def _open_curl(self) -> "CurlEngine[Answer]":
        from fks_master.probes.curl import CurlEngine  # noqa: PLC0415 - libcurl: 6 MB, for whom has no need of it

        if self._curl is None:
            self._curl = CurlEngine(self._epoll, self._monotonic, self._end, self._most_connections)
        return self._curl

    def _seconds_to_wait(self, now: float, gathered_since: float | None) -> float:
        until = min(engine.wake_at for engine in self._engines())
        if gathered_since is not None:
            until = min(until, gathered_since + GATHER_SECONDS)
        return min(LONGEST_WAIT_SECONDS, max(0.0, until - now))

    def _mark_paused(self, late_seconds: float) -> None:
        """Mark what cannot be trusted after having been so late."""
        if late_seconds < SHORTEST_LAG_SECONDS:
            return
        for engine in self._engines():
            for job in engine.jobs():
                job.was_paused |= late_seconds > min(LAG_SECONDS, job.question.timeout_seconds / 4)

    def _begin_waiting(self) -> None:
        while self._waiting:
            job = self._waiting.popleft()
            try:
                if isinstance(job.question, Exchange):
                    self._plain.begin(job)
                else:
                    self._open_curl().begin(job)
            except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this job alone
                self._ended.append((job, error))

    def _end(self, job: Job[Answer], answer: Answer | Exception) -> None:
        self._ended.append((job, answer))

    def _hand_over(self, now: float, gathered_since: float | None) -> float | None:
        """Give the answers to the event loop unless more are about to come; return since when they wait."""
        if not self._ended:
            return None
        since = now if gathered_since is None else gathered_since
        if now - since < GATHER_SECONDS and any(engine.is_busy for engine in self._engines()):
            return since
        answers, self._ended = self._ended, []
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_deliver, answers)
        return None


def raise_file_limit() -> int:
    """Allow as many open connections as the system lets us; the usual 1024 are few for those that wait."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return MOST_FILES if soft == resource.RLIM_INFINITY else soft


def _deliver(answers: list[tuple[Job[Answer], Answer | Exception]]) -> None:
    for job, answer in answers:
        job.answered(answer)
