"""HTTP probes on libcurl, its multi handle in a thread of its own.

Checks share no loop with the API: a page that renders neither delays a check nor falsifies its latency.

1. `probe` puts a question into a queue and wakes the thread through a socket pair.
2. The thread starts every waiting question, lets libcurl perform, and collects what ended.
3. Answers cross back to the event loop in one `call_soon_threadsafe` a batch.
"""

import asyncio
import select
import socket
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pycurl

from fks_master import __version__
from fks_master.model import Outcome, Phases, Reason, Result, Service

BODY_LIMIT = 64 * 1024
STOPPED = 23  # CURLE_WRITE_ERROR: we stopped reading
REASONS = {
    pycurl.E_COULDNT_RESOLVE_HOST: Reason.DNS,
    pycurl.E_COULDNT_CONNECT: Reason.REFUSED,
    pycurl.E_OPERATION_TIMEDOUT: Reason.TIMEOUT,
    pycurl.E_RECV_ERROR: Reason.RESET,
    pycurl.E_SEND_ERROR: Reason.RESET,
    pycurl.E_GOT_NOTHING: Reason.RESET,
    pycurl.E_PARTIAL_FILE: Reason.RESET,
    pycurl.E_SSL_CONNECT_ERROR: Reason.TLS,
    pycurl.E_PEER_FAILED_VERIFICATION: Reason.TLS,
}
WORDS = {
    Reason.DNS: "The name does not resolve",
    Reason.REFUSED: "Connection refused",
    Reason.RESET: "The connection was closed before the answer was complete",
}


class Question:
    """One try under way."""

    def __init__(self, service: Service, answer: "asyncio.Future[Result]") -> None:
        self.service = service
        self.answer = answer
        self.body = bytearray()

    def read(self, chunk: bytes) -> int:
        self.body += chunk[: BODY_LIMIT - len(self.body)]
        return len(chunk) if len(self.body) < BODY_LIMIT else 0


class Prober:
    """Answers `probe` from its thread until `close`."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._questions: deque[Question] = deque()
        self._multi = pycurl.CurlMulti()
        self._awake, self._waker = socket.socketpair()
        self._awake.setblocking(False)  # noqa: FBT003 - the socket API is positional
        self._is_closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="prober", daemon=True)
        self._under_way: dict[Any, Question] = {}

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def probe(self, service: Service) -> Result:
        """Try once, within the service's `timeout_seconds`."""
        question = Question(service, asyncio.get_running_loop().create_future())
        self._questions.append(question)
        self._waker.send(b"\0")
        return await question.answer

    async def close(self) -> None:
        self._is_closing = True
        self._waker.send(b"\0")
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join, 1.0)
        self._waker.close()
        self._awake.close()

    def _run(self) -> None:
        while not self._is_closing:
            while self._questions:
                self._begin(self._questions.popleft())
            self._multi.perform()
            self._answer(self._ended())
            self._wait()
        for curl in self._under_way:
            self._multi.remove_handle(curl)

    def _wait(self) -> None:
        readable, writable, _ = self._multi.fdset()
        milliseconds = self._multi.timeout()
        seconds = 0.5 if milliseconds < 0 else min(milliseconds / 1000, 0.5)
        poll = select.poll()
        poll.register(self._awake, select.POLLIN)
        for descriptor in readable:
            poll.register(descriptor, select.POLLIN)
        for descriptor in writable:
            poll.register(descriptor, select.POLLOUT | (select.POLLIN if descriptor in readable else 0))
        poll.poll(seconds * 1000)
        try:
            self._awake.recv(4096)
        except BlockingIOError:
            return

    def _begin(self, question: Question) -> None:
        curl = pycurl.Curl()
        milliseconds = max(1, int(question.service.timeout_seconds * 1000))
        curl.setopt(pycurl.URL, question.service.health_endpoint)
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.PROXY, "")
        curl.setopt(pycurl.FRESH_CONNECT, 1)
        curl.setopt(pycurl.FORBID_REUSE, 1)
        curl.setopt(pycurl.TIMEOUT_MS, milliseconds)
        curl.setopt(pycurl.USERAGENT, f"fks_master/{__version__}")
        curl.setopt(pycurl.WRITEFUNCTION, question.read)
        self._under_way[curl] = question
        self._multi.add_handle(curl)

    def _ended(self) -> list[tuple[Question, Result]]:
        answers = []
        while True:
            queued, good, bad = self._multi.info_read()
            ended = [(curl, 0) for curl in good] + [(curl, code) for curl, code, _ in bad]
            for curl, code in ended:
                self._multi.remove_handle(curl)
                question = self._under_way.pop(curl)
                answers.append((question, self._result(question, curl, code)))
                curl.close()
            if queued == 0:
                return answers

    def _answer(self, answers: list[tuple[Question, Result]]) -> None:
        if answers and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_resolve, answers)

    def _result(self, question: Question, curl: Any, code: int) -> Result:  # noqa: ANN401 - pycurl has no types
        service = question.service
        seconds = curl.getinfo(pycurl.TOTAL_TIME)
        if code and not (code == STOPPED and len(question.body) >= BODY_LIMIT):
            reason = REASONS.get(code, Reason.PROTOCOL)
            message = WORDS.get(reason, curl.errstr())
            if reason is Reason.TIMEOUT:
                message = f"No answer within {service.timeout_seconds:g} s"
            return Result(service.id, Outcome.FAILURE, self._now(), seconds, reason, message, phases=phases(curl))
        status = curl.getinfo(pycurl.RESPONSE_CODE)
        if not 200 <= status < 300:
            words = f"HTTP {status}"
            return Result(service.id, Outcome.FAILURE, self._now(), seconds, Reason.STATUS, words, status, phases(curl))
        return Result(service.id, Outcome.SUCCESS, self._now(), seconds, status_code=status, phases=phases(curl))


def phases(curl: Any) -> Phases:  # noqa: ANN401 - pycurl has no types
    """Turn libcurl's moments since the start into durations."""
    dns, connect, tls, first, total = (
        curl.getinfo(what)
        for what in (
            pycurl.NAMELOOKUP_TIME,
            pycurl.CONNECT_TIME,
            pycurl.APPCONNECT_TIME,
            pycurl.STARTTRANSFER_TIME,
            pycurl.TOTAL_TIME,
        )
    )
    ready = max(connect, tls)
    return Phases(
        dns, max(0.0, connect - dns), max(0.0, tls - connect), max(0.0, first - ready), max(0.0, total - first)
    )


def _resolve(answers: list[tuple[Question, Result]]) -> None:
    for question, result in answers:
        if not question.answer.done():
            question.answer.set_result(result)
