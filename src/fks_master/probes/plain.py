"""The engine for plain HTTP/1.1, the question that is asked most: sockets of our own and llhttp's parser.

It does what libcurl would do, for a third of the time: one address, one request, one answer, no encryption, no proxy.
Whatever is more than that goes to libcurl. A descriptor is registered once, edge-triggered, so whoever reads does so
until nothing is left or the answer is complete.

A connection that is kept for the next check is watched meanwhile: when the server closes it, it is forgotten. If that
crosses with a request, the request is sent once more over a new connection.
"""

import errno
import math
import os
import select
import socket
from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

import httptools

from fks_master.model import Reason
from fks_master.probes.answer import BODY_LIMIT, Fault
from fks_master.probes.job import Ended, Job

Answer = TypeVar("Answer")

ANSWER = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
CONNECTED = ANSWER | select.EPOLLOUT
BROKEN = select.EPOLLERR | select.EPOLLHUP
GONE = select.EPOLLIN | select.EPOLLRDHUP  # for a connection on which nothing is expected
HEAD_LIMIT = 64 * 1024
READ_LIMIT = HEAD_LIMIT + 4 * BODY_LIMIT  # of all that comes, framing included
FRAMING = {b"content-length", b"transfer-encoding"}
OUR_FAILINGS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}
ENDED_EARLY = Fault(Reason.RESET, "The connection was closed before the answer was complete")
REFUSED = Fault(Reason.REFUSED, "Connection refused")
NOBODY = Fault(Reason.TIMEOUT, "Nobody answers at this address")
TOO_MUCH_HEAD = Fault(Reason.PROTOCOL, "The headers are longer than 64 KiB")
TOO_MUCH = Fault(Reason.PROTOCOL, "Far more came than the body that was announced")
FAULTS = {
    errno.ECONNREFUSED: REFUSED,
    errno.ECONNRESET: ENDED_EARLY,
    errno.EPIPE: ENDED_EARLY,
    errno.ETIMEDOUT: NOBODY,
}


class Plan(NamedTuple):
    """Whom to ask what. `is_head`: the answer has no body; `is_kept`: the connection serves the next check too."""

    family: socket.AddressFamily
    address: tuple[str, int]
    request: bytes
    is_head: bool
    is_kept: bool

    def traced(self, traceparent: str | None) -> "Plan":
        """Send the header of the trace under way along, unless the request has its own."""
        if traceparent is None or b"\r\ntraceparent:" in self.request.lower():
            return self
        return self._replace(request=self.request[:-2] + f"traceparent: {traceparent}\r\n\r\n".encode())


class Heard:
    """What came back, with the seconds that each phase took. `fault` says why it is no answer.

    `is_our_failing`: this machine could not even ask.
    """

    __slots__ = (
        "body",
        "connect",
        "fault",
        "first_byte",
        "is_our_failing",
        "location",
        "status",
        "transfer",
        "version",
    )

    def __init__(self) -> None:
        self.status = 0
        self.version: str | None = None
        self.location: str | None = None
        self.body = b""
        self.fault: Fault | None = None
        self.is_our_failing = False
        self.connect = self.first_byte = self.transfer = 0.0


class Exchange(Generic[Answer]):
    """A question to this engine; `end` runs in the thread and makes the answer."""

    __slots__ = ("plan", "seconds", "timeout_seconds")

    def __init__(self, plan: Plan, timeout_seconds: float, seconds: float) -> None:
        self.plan = plan
        self.timeout_seconds = timeout_seconds
        self.seconds = seconds  # that are left of it

    def end(self, heard: Heard, *, was_paused: bool) -> Answer:
        raise NotImplementedError


class _Connection:
    """One connection and the answer that is read from it; the parser calls the methods that begin with `on_`."""

    __slots__ = (
        "address", "began", "chunks", "connected_at", "deadline", "first_at", "heard", "is_complete", "is_framed",
        "is_fresh", "is_idle", "is_lasting", "is_sent", "job", "parser", "read", "size", "socket",
    )  # fmt: skip

    def __init__(self, one: socket.socket, address: tuple[str, int]) -> None:
        self.socket = one
        self.address = address
        self.is_fresh = True

    def begin(self, job: Job[Any], now: float, deadline: float) -> None:
        self.job = job
        self.parser: Any = None
        self.deadline = deadline
        self.began = self.connected_at = now
        self.first_at = 0.0
        self.is_idle = self.is_sent = self.is_complete = False
        self.is_framed = False  # whether the headers say where the body ends
        self.is_lasting = False  # whether the server goes on listening
        self.read = self.size = 0
        self.chunks: list[bytes] = []
        self.heard = Heard()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.is_complete:  # what follows the answer is not part of it, though it be an answer itself
            return
        lower = name.lower()
        if lower in FRAMING:
            self.is_framed = True
        elif lower == b"location":
            self.heard.location = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self.is_complete:
            return
        self.heard.status = self.parser.get_status_code()
        self.heard.version = self.parser.get_http_version()
        self.is_lasting = self.is_framed and self.parser.should_keep_alive()
        if self.job.question.plan.is_head and self.heard.status >= 200:
            self.is_complete = True

    def on_body(self, chunk: bytes) -> None:
        if self.is_complete:
            return
        self.chunks.append(chunk)
        self.size += len(chunk)
        if self.size >= BODY_LIMIT:
            self.is_complete = True

    def on_message_complete(self) -> None:
        if self.heard.status >= 200:
            self.is_complete = True
        else:  # 1xx: the answer itself follows
            self.is_framed = False
            self.heard.location = None

    def may_be_kept(self) -> bool:
        """Whether the connection is good for another request."""
        is_whole = self.is_complete and self.size < BODY_LIMIT and self.heard.fault is None
        return is_whole and self.is_lasting

    def rest(self) -> None:
        """Drop what the last request needed."""
        self.is_idle = True
        self.is_fresh = False
        self.parser = None
        self.chunks = []
        self.heard = Heard()


class PlainEngine(Generic[Answer]):
    """Runs exchanges; `ended` is told each one's answer."""

    def __init__(
        self, epoll: select.epoll, monotonic: Callable[[], float], ended: Ended[Answer], most_connections: int
    ) -> None:
        self._epoll = epoll
        self._monotonic = monotonic
        self._ended = ended
        self._most_kept = most_connections
        self._connections: dict[int, _Connection] = {}
        self._kept: dict[tuple[str, int], list[_Connection]] = {}
        self._kept_count = 0
        self._buffer = bytearray(BODY_LIMIT)
        self._view = memoryview(self._buffer)
        self.wake_at = math.inf

    @property
    def is_busy(self) -> bool:
        return len(self._connections) > self._kept_count

    def owns(self, descriptor: int) -> bool:
        return descriptor in self._connections

    def jobs(self) -> Iterable[Job[Answer]]:
        return [one.job for one in self._connections.values() if not one.is_idle]

    def begin(self, job: Job[Answer]) -> None:
        now = self._monotonic()
        deadline = now + job.question.seconds
        self.wake_at = min(self.wake_at, deadline)
        plan = job.question.plan
        kept = self._kept.get(plan.address) if plan.is_kept else None
        if kept:
            self._kept_count -= 1
            connection = kept.pop()
            connection.begin(job, now, deadline)
            self._send(connection)
        else:
            self._connect(job, now, deadline)

    def ready(self, descriptor: int, events: int) -> None:
        connection = self._connections[descriptor]
        try:
            self._act(connection, events)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this connection alone
            job = connection.job
            self._forget(connection)
            self._ended(job, error)

    def _act(self, connection: _Connection, events: int) -> None:
        if connection.is_idle:
            if events & (GONE | BROKEN):
                self._forget(connection)
        elif connection.is_sent:
            self._read(connection)
        elif events & BROKEN:
            self._fail(connection, connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        elif events & select.EPOLLOUT:
            connection.connected_at = self._monotonic()
            if self._send(connection) and events & select.EPOLLIN:
                self._read(connection)

    def turn(self, now: float) -> None:
        """End what has run out of time."""
        if now < self.wake_at:
            return
        under_way = [one for one in self._connections.values() if not one.is_idle]
        for one in under_way:
            if one.deadline <= now:
                one.heard.fault = Fault(Reason.TIMEOUT, f"No answer within {one.job.question.timeout_seconds:g} s")
                self._finish(one)
        self.wake_at = min((one.deadline for one in under_way if one.deadline > now), default=math.inf)

    def close(self) -> None:
        for one in self._connections.values():
            one.socket.close()
        self._connections.clear()

    def _connect(self, job: Job[Answer], now: float, deadline: float) -> None:
        plan = job.question.plan
        try:
            one = socket.socket(plan.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        except OSError as error:
            self._tell(job, _unasked(error.errno or 0))
            return
        connection = _Connection(one, plan.address)
        connection.begin(job, now, deadline)
        self._connections[one.fileno()] = connection
        code = one.connect_ex(plan.address)
        if code not in {0, errno.EINPROGRESS}:
            self._fail(connection, code)
            return
        connection.connected_at = self._monotonic()
        if self._send(connection):
            self._epoll.register(one, ANSWER if connection.is_sent else CONNECTED)

    def _send(self, connection: _Connection) -> bool:
        """Send the request if there is a connection already, as there is at once on this machine; False: it failed."""
        request = connection.job.question.plan.request
        try:
            sent = connection.socket.send(request)
        except BlockingIOError:
            return True
        except OSError as error:
            self._fail(connection, error.errno or 0)
            return False
        connection.parser = httptools.HttpResponseParser(connection)
        connection.is_sent = True
        if sent < len(request):  # a connection without anything under way takes far more than a request is long
            self._fail(connection, errno.EPIPE)
            return False
        return True

    def _read(self, connection: _Connection) -> None:
        while not connection.is_complete:
            try:
                count = connection.socket.recv_into(self._buffer)
            except BlockingIOError:
                return
            except OSError as error:
                self._fail(connection, error.errno or 0)
                return
            if connection.first_at == 0.0:
                connection.first_at = self._monotonic()
            if count == 0:
                self._end_of_stream(connection)
                return
            if fault := self._parse(connection, count):
                connection.heard.fault = fault
                break
        self._finish(connection)

    def _parse(self, connection: _Connection, count: int) -> Fault | None:
        try:
            connection.parser.feed_data(self._view[:count])
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if connection.is_complete:  # what follows the answer is not ours to judge
                return None
            is_upgrade = isinstance(error, httptools.HttpParserUpgrade)
            words = "another protocol was offered" if is_upgrade else str(error)
            return Fault(Reason.PROTOCOL, f"This is no answer in HTTP: {words}"[:200])
        connection.read += count
        if connection.read > READ_LIMIT:
            return TOO_MUCH
        return TOO_MUCH_HEAD if connection.heard.status == 0 and connection.read >= HEAD_LIMIT else None

    def _end_of_stream(self, connection: _Connection) -> None:
        """Let the end of the stream be the end of a body that nothing else ends."""
        if connection.heard.status >= 200 and not connection.is_framed:
            self._finish(connection)
        else:
            self._fail(connection, errno.ECONNRESET)

    def _fail(self, connection: _Connection, code: int) -> None:
        is_stale = not connection.is_fresh and connection.read == 0 and code in {errno.ECONNRESET, errno.EPIPE}
        if is_stale:  # the server closed it while we asked
            job, deadline = connection.job, connection.deadline
            self._forget(connection)
            self._connect(job, self._monotonic(), deadline)
            return
        heard = connection.heard
        heard.is_our_failing = code in OUR_FAILINGS
        words = os.strerror(code) if code else "The address cannot be reached"
        heard.fault = FAULTS.get(code) or Fault(Reason.UNREACHABLE, words)
        self._finish(connection)

    def _finish(self, connection: _Connection) -> None:
        job, heard, now = connection.job, connection.heard, self._monotonic()
        if connection.is_sent:
            first = connection.first_at or now
            heard.connect = connection.connected_at - connection.began
            heard.first_byte = first - connection.connected_at
            heard.transfer = now - first
        else:
            heard.connect = now - connection.began
        chunks = connection.chunks
        heard.body = chunks[0] if len(chunks) == 1 else b"".join(chunks)[:BODY_LIMIT]
        if job.question.plan.is_kept and self._kept_count < self._most_kept and connection.may_be_kept():
            self._keep(connection)
        else:
            self._forget(connection)
        self._tell(job, heard)

    def _tell(self, job: Job[Answer], heard: Heard) -> None:
        answer: Answer | Exception
        try:
            answer = job.question.end(heard, was_paused=job.was_paused)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this job alone
            answer = error
        self._ended(job, answer)

    def _keep(self, connection: _Connection) -> None:
        connection.rest()
        self._kept.setdefault(connection.address, []).append(connection)
        self._kept_count += 1

    def _forget(self, connection: _Connection) -> None:
        """Close a connection, under way or kept."""
        if connection.is_idle:
            self._kept_count -= 1
            self._kept[connection.address].remove(connection)
        del self._connections[connection.socket.fileno()]
        connection.parser = None
        connection.socket.close()


def _unasked(code: int) -> Heard:
    heard = Heard()
    heard.is_our_failing = code in OUR_FAILINGS
    heard.fault = Fault(Reason.UNREACHABLE, os.strerror(code))
    return heard
