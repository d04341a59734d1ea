"""The HTTP carrier: one request with libcurl; no redirect is followed, no forbidden address connected to."""

import io
import re
import socket
import threading
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
import pycurl

from fks_master.alerts.addresses import is_forbidden
from fks_master.alerts.notify import Answer, Request, Verdict
from fks_master.tracing import outgoing

CONNECT_MS = 5_000
WHOLE_MS = 15_000
MOST_ANSWER = 2048
MOST_HEAD = 65_536
LONGEST_WAIT = 300.0
_TELEGRAM_WAIT = re.compile(rb'"retry_after"\s*:\s*(\d{1,6}(?:\.\d+)?)')


class Post:
    """One try of a request; `abort` ends it from another thread. The trace under way when it is made goes along."""

    def __init__(self, request: Request) -> None:
        traceparent = outgoing()
        traced = {"traceparent": traceparent} if traceparent else {}
        self._request = msgspec.structs.replace(request, headers={**request.headers, **traced})
        self._aborted = threading.Event()
        self._sockets: list[socket.socket] = []

    def abort(self) -> None:
        self._aborted.set()

    def run(self) -> Answer:
        head, body = bytearray(), io.BytesIO()
        handle = pycurl.Curl()
        try:
            _prepare(handle, self._request, head, body)
            handle.setopt(pycurl.XFERINFOFUNCTION, lambda *_: self._aborted.is_set())
            handle.setopt(pycurl.OPENSOCKETFUNCTION, self._open)
            handle.perform()
            return judge(handle.getinfo(pycurl.RESPONSE_CODE), bytes(head), body.getvalue())
        except pycurl.error as error:
            return _failed(error, handle.getinfo(pycurl.RESPONSE_CODE), bytes(head))
        finally:
            handle.close()
            for one in self._sockets:
                one.close()

    def _open(self, _: int, address: Any) -> "socket.socket | int":  # noqa: ANN401 - pycurl's own tuple
        """Look at the very address that is connected to: names may change between question and use."""
        if is_forbidden(address.addr[0] if isinstance(address.addr[0], str) else address.addr[0].decode()):
            return int(pycurl.SOCKET_BAD)
        one = socket.socket(address.family, address.socktype, address.protocol)
        self._sockets.append(one)  # libcurl works with a duplicate; this one is ours to close
        return one


def _prepare(handle: "pycurl.Curl", request: Request, head: bytearray, body: io.BytesIO) -> None:
    def write(data: bytes) -> int | None:
        return body.write(data) if body.tell() < MOST_ANSWER else 0

    def note(line: bytes) -> int | None:
        head.extend(line)
        return None if len(head) < MOST_HEAD else 0

    headers = [f"{name}: {value}".encode("latin-1", "replace") for name, value in request.headers.items()]
    options: dict[int, Any] = {
        pycurl.URL: request.url,
        pycurl.HTTPHEADER: [*headers, b"User-Agent: fks_master", b"Expect:"],
        pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
        pycurl.FOLLOWLOCATION: 0,
        pycurl.PROXY: "",
        pycurl.NOSIGNAL: 1,
        pycurl.NOPROGRESS: 0,
        pycurl.CONNECTTIMEOUT_MS: CONNECT_MS,
        pycurl.TIMEOUT_MS: WHOLE_MS,
        pycurl.HEADERFUNCTION: note,
        pycurl.WRITEFUNCTION: write,
    }
    if request.method != "GET":
        options |= {pycurl.POSTFIELDS: request.body, pycurl.CUSTOMREQUEST: request.method}
    for option, value in options.items():
        handle.setopt(option, value)


def judge(status: int, head: bytes, body: bytes) -> Answer:
    """Say what a status means: other trouble of the receiver passes, its refusal does not."""
    if 200 <= status < 300:
        return Answer(Verdict.SENT, f"HTTP {status}")
    said = "".join(one if one.isprintable() else " " for one in body[:200].decode("utf-8", "replace")).strip()
    text = f"HTTP {status}: {said}" if said else f"HTTP {status}"
    if status in {408, 425, 429} or status >= 500:
        return Answer(Verdict.AGAIN, text, retry_after(head, body))
    return Answer(Verdict.REFUSED, f"HTTP {status}: redirects are not followed" if 300 <= status < 400 else text)


def retry_after(head: bytes, body: bytes = b"") -> float | None:
    """Read for how long the receiver wants to be left alone, at most LONGEST_WAIT.

    That is seconds, a date (compared with the answer's own, so that no clock of ours matters), or Telegram's way.
    """
    headers = dict(_headers(head))
    told = headers.get("retry-after", "")
    if re.fullmatch(r"\d{1,9}(\.\d+)?", told):
        return min(float(told), LONGEST_WAIT)
    until, sent = _date(told), _date(headers.get("date", ""))
    if until and sent:
        return min(max(0.0, (until - sent).total_seconds()), LONGEST_WAIT)
    match = _TELEGRAM_WAIT.search(body)
    return min(float(match[1]), LONGEST_WAIT) if match else None


def _headers(head: bytes) -> list[tuple[str, str]]:
    lines = [line.partition(":") for line in head.decode("latin-1").splitlines()]
    return [(name.strip().lower(), value.strip()) for name, _, value in lines]


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return found if found.tzinfo is not None else None


def _failed(error: "pycurl.error", status: int, head: bytes) -> Answer:
    """Judge what did not end well. A body longer than we read ends a request, too: then the status says it."""
    if len(head) >= MOST_HEAD:
        return Answer(Verdict.AGAIN, "too many headers")
    if error.args[0] == pycurl.E_WRITE_ERROR and status:
        return judge(status, head, b"")
    return Answer(Verdict.AGAIN, _reason(error.args[0]))


def _reason(number: int) -> str:
    """Name the trouble by curl's number: its words may hold the address, which is a secret."""
    names = {
        3: "the address is malformed", 6: "name not resolved", 7: "cannot connect, or may not connect to this address",
        28: "timed out", 35: "TLS", 42: "the monitor stops", 52: "no answer", 55: "connection reset",
        56: "connection reset", 60: "certificate not trusted",
    }  # fmt: skip
    return names.get(number, f"curl error {number}")
