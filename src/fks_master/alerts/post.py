"""One POST with libcurl, in a thread: no redirect is followed, no forbidden address connected to, nothing hangs."""

import asyncio
import io
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Any

import msgspec
import pycurl

from fks_master.alerts.addresses import is_forbidden
from fks_master.alerts.notify.request import Request

CONNECT_MS = 5_000
WHOLE_MS = 15_000
MOST_THREADS = 16
MOST_ANSWER = 2048
LONGEST_WAIT = 300.0


class Verdict(StrEnum):
    """What becomes of a delivery."""

    SENT = "sent"
    AGAIN = "again"
    REFUSED = "refused"


class Answer(msgspec.Struct, frozen=True):
    """How it went. `text` is fit for the delivery log: it never holds the address."""

    verdict: Verdict
    text: str
    retry_after: float | None = None


class Poster:
    """Sends requests from a few threads of its own; `close` ends those that are under way."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(MOST_THREADS, "notify")
        self._closing = threading.Event()

    async def post(self, request: Request) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._post, request)

    async def close(self) -> None:
        self._closing.set()
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    def _post(self, request: Request) -> Answer:
        head, body = bytearray(), io.BytesIO()
        handle = pycurl.Curl()
        try:
            _prepare(handle, request, head, body)
            handle.setopt(pycurl.XFERINFOFUNCTION, lambda *_: self._closing.is_set())
            handle.perform()
            return judge(handle.getinfo(pycurl.RESPONSE_CODE), bytes(head), body.getvalue())
        except pycurl.error as error:
            return Answer(Verdict.AGAIN, _reason(error))
        finally:
            handle.close()


def _prepare(handle: "pycurl.Curl", request: Request, head: bytearray, body: io.BytesIO) -> None:
    def write(data: bytes) -> int | None:
        return body.write(data) if body.tell() < MOST_ANSWER else 0

    headers = [f"{name}: {value}" for name, value in request.headers.items()]
    options: dict[int, Any] = {
        pycurl.URL: request.url,
        pycurl.POSTFIELDS: request.body,
        pycurl.HTTPHEADER: [*headers, "User-Agent: fks_master", "Expect:"],
        pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
        pycurl.FOLLOWLOCATION: 0,
        pycurl.PROXY: "",
        pycurl.NOSIGNAL: 1,
        pycurl.NOPROGRESS: 0,
        pycurl.CONNECTTIMEOUT_MS: CONNECT_MS,
        pycurl.TIMEOUT_MS: WHOLE_MS,
        pycurl.OPENSOCKETFUNCTION: _open,
        pycurl.HEADERFUNCTION: head.extend,
        pycurl.WRITEFUNCTION: write,
    }
    for option, value in options.items():
        handle.setopt(option, value)


def _open(_: int, address: Any) -> "socket.socket | int":  # noqa: ANN401 - pycurl's own tuple
    """Look at the very address that is connected to: names may change between question and use."""
    if is_forbidden(address.addr[0] if isinstance(address.addr[0], str) else address.addr[0].decode()):
        return int(pycurl.SOCKET_BAD)
    return socket.socket(address.family, address.socktype, address.protocol)


def judge(status: int, head: bytes, body: bytes) -> Answer:
    """Say what a status means: other trouble of the receiver passes, its refusal does not."""
    if 200 <= status < 300:
        return Answer(Verdict.SENT, f"HTTP {status}")
    said = body[:200].decode("utf-8", "replace").strip()
    text = f"HTTP {status}: {said}" if said else f"HTTP {status}"
    if status in {408, 425, 429} or status >= 500:
        return Answer(Verdict.AGAIN, text, _retry_after(head))
    return Answer(Verdict.REFUSED, f"HTTP {status}: redirects are not followed" if 300 <= status < 400 else text)


def _retry_after(head: bytes) -> float | None:
    for line in head.decode("latin-1").splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() == "retry-after" and value.strip().isdecimal():
            return min(float(value), LONGEST_WAIT)
    return None


def _reason(error: "pycurl.error") -> str:
    """Name the trouble by curl's number: its words may hold the address, which is a secret."""
    names = {5: "proxy", 6: "name not resolved", 7: "cannot connect", 28: "timed out", 35: "TLS", 52: "no answer"}
    names |= {42: "the monitor stops", 56: "connection reset", 60: "certificate not trusted"}
    return names.get(error.args[0], f"curl error {error.args[0]}")
