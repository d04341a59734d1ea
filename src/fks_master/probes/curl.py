"""libcurl's multi handle in a thread of its own, driven by poll.

Checks share no loop with the API: a page that renders neither delays a check nor falsifies its latency. We are told by
libcurl which descriptors matter (`socket_action`), because its `fdset` cannot see those above 1023. They wait in a
`poll` object: with the few that are open at a time it needs one system call where epoll needs four more a check.

1. `ask` puts a transfer into a queue and wakes the thread through a socket pair.
2. The thread starts every waiting transfer, lets libcurl act on what is ready, and judges what ended.
3. Answers cross back to the event loop in one `call_soon_threadsafe` a batch.

A thread that was itself late by more than a second, or a quarter of a transfer's timeout, marks what is under way: it
cannot be trusted.
"""

import asyncio
import resource
import select
import socket
import threading
from collections import deque
from typing import Any, Generic, Protocol, TypeVar

import pycurl

from fks_master.clock import Clock

Answer = TypeVar("Answer")
Given_co = TypeVar("Given_co", covariant=True)

LAG_SECONDS = 1.0
SHORTEST_LAG_SECONDS = 0.1  # not worth a look
LONGEST_WAIT_SECONDS = 0.25
SPARE_HANDLES = 64
MOST_FILES = 65536
POLL_MASK = {
    pycurl.POLL_IN: select.POLLIN,
    pycurl.POLL_OUT: select.POLLOUT,
    pycurl.POLL_INOUT: select.POLLIN | select.POLLOUT,
}


class Transfer(Protocol[Given_co]):
    """One request to make; both methods run in the thread.

    `is_reusable` says whether the handle may serve another transfer afterwards.
    """

    is_reusable: bool

    @property
    def timeout_seconds(self) -> float: ...

    def begin(self, curl: Any) -> None:  # noqa: ANN401 - pycurl has no types
        """Set every option on a handle that is as new."""
        ...

    def end(self, curl: Any, code: int, *, was_paused: bool) -> Given_co:  # noqa: ANN401 - pycurl has no types
        """Make the answer; `code` is libcurl's error, 0 for none."""
        ...


class _Job(Generic[Answer]):
    """A transfer and whom it is for."""

    def __init__(self, transfer: Transfer[Answer], answer: asyncio.Future[Answer]) -> None:
        self.transfer = transfer
        self.answer = answer
        self.was_paused = False


class CurlThread(Generic[Answer]):
    """Runs transfers from `start` until `close`."""

    def __init__(self, clock: Clock) -> None:
        self._monotonic = clock.monotonic
        self._waiting: deque[_Job[Answer]] = deque()
        self._under_way: dict[Any, _Job[Answer]] = {}
        self._spare: list[Any] = []
        self._poll = select.poll()
        self._timer: float | None = None
        self._multi = self._make_multi()
        self._awake, self._waker = socket.socketpair()
        self._is_woken = False
        self._is_closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="prober", daemon=True)

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        for end in (self._awake, self._waker):
            end.setblocking(False)  # noqa: FBT003 - the socket API is positional
        self._poll.register(self._awake, select.POLLIN)
        self._thread.start()

    async def ask(self, transfer: Transfer[Answer]) -> Answer:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Job(transfer, answer))
        self._wake()
        return await answer

    async def close(self) -> None:
        """Stop within a second: libcurl may be held up, and nobody waits for it."""
        self._is_closing = True
        self._wake()
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join, 1.0)
        self._waker.close()

    def _wake(self) -> None:
        """Wake the thread once, however many transfers wait until it looks."""
        if not self._is_woken:
            self._is_woken = True
            self._waker.send(b"\0")

    def _make_multi(self) -> Any:  # noqa: ANN401 - pycurl has no types
        multi = pycurl.CurlMulti()
        multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        multi.setopt(pycurl.M_MAXCONNECTS, raise_file_limit() // 2)
        return multi

    def _run(self) -> None:
        awake = self._awake.fileno()
        turned = self._monotonic()
        while not self._is_closing:
            self._begin_waiting()
            seconds = self._seconds_to_wait()
            events = self._poll.poll(seconds * 1000)
            now = self._monotonic()
            self._mark_paused(now - turned - seconds)
            turned = now
            for descriptor, ready in events:
                if descriptor == awake:
                    self._awake.recv(16)
                    self._is_woken = False  # before the queue is looked at, so that no transfer is overlooked
                else:
                    self._multi.socket_action(descriptor, _readiness(ready))
            if self._timer is not None and self._timer <= now:
                self._timer = None
                self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            self._answer_ended()
        for curl in self._under_way:
            self._multi.remove_handle(curl)
        self._awake.close()

    def _seconds_to_wait(self) -> float:
        if self._timer is None:
            return LONGEST_WAIT_SECONDS
        return min(LONGEST_WAIT_SECONDS, max(0.0, self._timer - self._monotonic()))

    def _mark_paused(self, late_seconds: float) -> None:
        """Mark what cannot be trusted after having been so late."""
        if late_seconds < SHORTEST_LAG_SECONDS:
            return
        for job in self._under_way.values():
            job.was_paused |= late_seconds > min(LAG_SECONDS, job.transfer.timeout_seconds / 4)

    def _on_socket(self, what: int, descriptor: int, _multi: object, _data: object) -> None:
        if what == pycurl.POLL_REMOVE:
            self._poll.unregister(descriptor)
        else:
            self._poll.register(descriptor, POLL_MASK[what])

    def _on_timer(self, milliseconds: int) -> None:
        self._timer = None if milliseconds < 0 else self._monotonic() + milliseconds / 1000

    def _begin_waiting(self) -> None:
        while self._waiting:
            job = self._waiting.popleft()
            if job.answer.cancelled():
                continue
            curl = self._spare.pop() if self._spare else pycurl.Curl()
            try:
                job.transfer.begin(curl)
            except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this job alone
                curl.close()
                self._hand_over([(job, error)])
                continue
            self._under_way[curl] = job
            self._multi.add_handle(curl)

    def _answer_ended(self) -> None:
        answers: list[tuple[_Job[Answer], Answer | Exception]] = []
        queued = 1
        while queued:
            queued, good, bad = self._multi.info_read()
            answers += [self._end(curl, 0) for curl in good]
            answers += [self._end(curl, code) for curl, code, _ in bad]
        self._hand_over(answers)

    def _end(self, curl: Any, code: int) -> tuple[_Job[Answer], Answer | Exception]:  # noqa: ANN401
        self._multi.remove_handle(curl)
        job = self._under_way.pop(curl)
        try:
            return job, job.transfer.end(curl, code, was_paused=job.was_paused)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this job alone
            return job, error
        finally:
            self._keep(curl, is_reusable=job.transfer.is_reusable)

    def _keep(self, curl: Any, *, is_reusable: bool) -> None:  # noqa: ANN401 - pycurl has no types
        if is_reusable and len(self._spare) < SPARE_HANDLES:
            curl.reset()
            self._spare.append(curl)
        else:
            curl.close()

    def _hand_over(self, answers: list[tuple[_Job[Answer], Answer | Exception]]) -> None:
        if answers and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_deliver, answers)


def raise_file_limit() -> int:
    """Allow as many open connections as the system lets us; the usual 1024 are few for those that wait."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return MOST_FILES if soft == resource.RLIM_INFINITY else soft


def _readiness(events: int) -> int:
    ready = pycurl.CSELECT_IN if events & (select.POLLIN | select.POLLHUP) else 0
    ready |= pycurl.CSELECT_OUT if events & select.POLLOUT else 0
    return ready | (pycurl.CSELECT_ERR if events & (select.POLLERR | select.POLLNVAL) else 0)


def _deliver(answers: list[tuple[_Job[Answer], Answer | Exception]]) -> None:
    for job, answer in answers:
        if job.answer.done():
            continue
        if isinstance(answer, Exception):
            job.answer.set_exception(answer)
        else:
            job.answer.set_result(answer)
