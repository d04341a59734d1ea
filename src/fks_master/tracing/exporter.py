"""Brings finished spans to the collector, from a thread of its own.

1. Spans wait in a bounded queue; when it is full the oldest goes, counted. Adding one costs the same whether the
   collector answers or not.
2. What the collector was too busy for is sent again, after a pause; what it refuses is given up.
3. Trouble is said in the log when it begins and when it ends, never in between.
"""

import http.client
import threading
import urllib.error
import urllib.request
from base64 import b64encode
from collections import deque
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit, urlunsplit

import structlog

from fks_master.tracing import wire
from fks_master.tracing.wire import Finished

log = structlog.get_logger(__name__)

QUEUE = 8192
BATCH = 512
GATHER_SECONDS = 2.0
PATIENCE_SECONDS = 5.0
PAUSE_SECONDS = 5.0
WORTH_ANOTHER_TRY = frozenset({408, 429, 502, 503, 504})


class Exporter:
    """Sends to `address`.

    `dropped` counts the spans that nobody will ever see, `trouble` says why the last ones could not be sent.
    """

    def __init__(self, address: str, headers: Mapping[str, str], origin: tuple[bytes, bytes]) -> None:
        self._address, login = _without_login(address)
        self._headers = {**login, **headers, "Content-Type": "application/x-protobuf", "User-Agent": "fks_master"}
        self._origin = origin
        self._waiting: deque[Finished] = deque()
        self._wake = threading.Event()
        self._is_closing = False
        self.trouble: str | None = None
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="tracing", daemon=True)
        self._thread.start()

    def add(self, span: Finished) -> None:
        if len(self._waiting) >= QUEUE:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(span)
        if len(self._waiting) == BATCH:
            self._wake.set()

    def close(self, seconds: float) -> None:
        """Send what waits; after so many seconds leave the thread behind, it ends with the process."""
        self._is_closing = True
        self._wake.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._is_closing:
            self._wake.wait(GATHER_SECONDS)
            self._wake.clear()
            self._send_all()
        self._send_all()

    def _send_all(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            body = self._encode(batch)
            while body and not self._try(body, len(batch)):
                if self._is_closing:
                    self.dropped += len(batch)
                    return
                self._wake.wait(PAUSE_SECONDS)
                self._wake.clear()

    def _encode(self, batch: list[Finished]) -> bytes:
        """Write the spans; one that cannot be written spoils its batch, never the thread."""
        try:
            return wire.request(self._origin, batch)
        except Exception:
            log.exception("spans_unwritable", spans=len(batch))
            self.dropped += len(batch)
            return b""

    def _try(self, body: bytes, count: int) -> bool:
        """Send once; tell whether that is settled."""
        ask = urllib.request.Request(self._address, body, self._headers)  # noqa: S310 - http and https only, by config
        try:
            with urllib.request.urlopen(ask, timeout=PATIENCE_SECONDS):  # noqa: S310
                self._recover()
        except urllib.error.HTTPError as error:
            error.close()
            self._complain(f"HTTP {error.code}")
            if error.code in WORTH_ANOTHER_TRY:
                return False
            self.dropped += count
        except OSError as error:
            self._complain(str(error) or type(error).__name__)
            return False
        except (http.client.HTTPException, ValueError) as error:
            self._complain(type(error).__name__)  # its words may hold the address
            return False
        return True

    def _complain(self, reason: str) -> None:
        if self.trouble is None:
            log.warning("traces_not_sent", reason=reason)
        self.trouble = reason

    def _recover(self) -> None:
        if self.trouble is not None:
            self.trouble = None
            log.info("traces_sent_again", dropped=self.dropped)


def _without_login(address: str) -> tuple[str, dict[str, str]]:
    """Take `user:password@` out of an address, and make it the header that it stands for."""
    parts = urlsplit(address)
    login, found, host = parts.netloc.rpartition("@")
    if not found:
        return address, {}
    header = f"Basic {b64encode(unquote(login).encode()).decode()}"
    return urlunsplit(parts._replace(netloc=host)), {"Authorization": header}
