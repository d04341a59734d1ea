"""The engine on libcurl: everything that is more than plain HTTP, through its multi handle.

We are told by libcurl which descriptors matter (`socket_action`), because its `fdset` cannot see those above 1023.
"""

import contextlib
import math
import select
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

import pycurl

from fks_master.probes.job import Ended, Job

Answer = TypeVar("Answer")
Given_co = TypeVar("Given_co", covariant=True)

SPARE_HANDLES = 64
EPOLL_MASK = {
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
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


class CurlEngine(Generic[Answer]):
    """Runs transfers; `ended` is told each one's answer."""

    def __init__(
        self,
        epoll: select.epoll,
        monotonic: Callable[[], float],
        ended: Ended[Answer],
        most_connections: int,
    ) -> None:
        self._epoll = epoll
        self._monotonic = monotonic
        self._ended = ended
        self._under_way: dict[Any, Job[Answer]] = {}
        self._spare: list[Any] = []
        self.wake_at = math.inf
        self._may_have_ended = False
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, most_connections)

    @property
    def is_busy(self) -> bool:
        return bool(self._under_way)

    def jobs(self) -> Iterable[Job[Answer]]:
        return self._under_way.values()

    def begin(self, job: Job[Answer]) -> None:
        curl = self._spare.pop() if self._spare else pycurl.Curl()
        try:
            job.question.begin(curl)
        except Exception:
            curl.close()
            raise
        self._under_way[curl] = job
        self._multi.add_handle(curl)

    def ready(self, descriptor: int, events: int) -> None:
        self._multi.socket_action(descriptor, _readiness(events))
        self._may_have_ended = True

    def turn(self, now: float) -> None:
        """Act on libcurl's timer, and collect what ended."""
        if self.wake_at <= now:
            self.wake_at = math.inf
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            self._may_have_ended = True
        if self._may_have_ended:
            self._may_have_ended = False
            self._collect()

    def close(self) -> None:
        """Let go of every connection while the descriptors' watcher is still there to be told."""
        for curl in self._under_way:
            self._multi.remove_handle(curl)
        self._multi.close()

    def _on_socket(self, what: int, descriptor: int, _multi: object, _data: object) -> None:
        if what == pycurl.POLL_REMOVE:
            with contextlib.suppress(OSError):  # closed already, which removes it too
                self._epoll.unregister(descriptor)
            return
        try:
            self._epoll.modify(descriptor, EPOLL_MASK[what])
        except OSError:
            self._epoll.register(descriptor, EPOLL_MASK[what])

    def _on_timer(self, milliseconds: int) -> None:
        self.wake_at = math.inf if milliseconds < 0 else self._monotonic() + milliseconds / 1000

    def _collect(self) -> None:
        queued = 1
        while queued:
            queued, good, bad = self._multi.info_read()
            for curl in good:
                self._end(curl, 0)
            for curl, code, _ in bad:
                self._end(curl, code)

    def _end(self, curl: Any, code: int) -> None:  # noqa: ANN401 - pycurl has no types
        self._multi.remove_handle(curl)
        job = self._under_way.pop(curl)
        answer: Answer | Exception
        try:
            answer = job.question.end(curl, code, was_paused=job.was_paused)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this job alone
            answer = error
        self._keep(curl, is_reusable=job.question.is_reusable)
        self._ended(job, answer)

    def _keep(self, curl: Any, *, is_reusable: bool) -> None:  # noqa: ANN401 - pycurl has no types
        if is_reusable and len(self._spare) < SPARE_HANDLES:
            curl.reset()
            self._spare.append(curl)
        else:
            curl.close()


def _readiness(events: int) -> int:
    ready = pycurl.CSELECT_IN if events & (select.EPOLLIN | select.EPOLLHUP) else 0
    ready |= pycurl.CSELECT_OUT if events & select.EPOLLOUT else 0
    return ready | (pycurl.CSELECT_ERR if events & select.EPOLLERR else 0)
