"""The web server: a socket of ours, uvicorn behind it, and the patience that uvicorn does not limit."""

import asyncio
import contextlib
import errno
import secrets
import socket
import ssl
import struct
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from http import HTTPStatus

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from fks_master.api.answers import problem
from fks_master.errors import ListenError

GRACEFUL_SECONDS = 5
MAX_FRAME = 64 * 1024
MAX_HEAD = 64 * 1024
REQUEST_SECONDS = 10.0
STALL_SECONDS = 10.0
HANDSHAKE_SECONDS = 10.0
PING_SECONDS = 4.0
PONG_SECONDS = 5.0
LATE_SECONDS = 1.0


def listen(host: str, port: int) -> socket.socket:
    """Bind, or raise ListenError with what to do about it."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except socket.gaierror as error:
        raise ListenError(f"--host {host!r} is not an address of this machine: {error.strerror}") from error
    except OSError as error:
        raise ListenError(_advice(host, port, error)) from error


def _advice(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use by another program; choose another one with --port"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights than we have; choose one above 1023 with --port"
    return f"cannot listen on {host}, port {port}: {error.strerror}"


def refusal(status: int, detail: str) -> bytes:
    """Write the answer to what is no request that the application could see: a problem document, as everywhere."""
    phrase = HTTPStatus(status).phrase
    answer = problem(status, phrase, detail)
    head = {**answer.headers, "x-request-id": secrets.token_hex(16), "connection": "close"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"HTTP/1.1 {status} {phrase}\r\n{lines}\r\n".encode() + bytes(answer.body)


class Timer:
    """Calls once, after some seconds, unless stopped."""

    def __init__(self) -> None:
        self._handle: asyncio.TimerHandle | None = None

    def start(self, seconds: float, call: Callable[[], None]) -> None:
        self.stop()
        self._handle = asyncio.get_running_loop().call_later(seconds, call)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    @property
    def is_running(self) -> bool:
        return self._handle is not None


def drop(transport: asyncio.BaseTransport) -> None:
    """End a connection at once, with what nobody reads: the kernel, too, forgets it instead of trying for minutes."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if hasattr(transport, "abort"):
        transport.abort()
    else:
        transport.close()


class PatientHttp(HttpToolsProtocol):
    """Ends a connection that sends a request, or takes an answer, too slowly."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._request = Timer()
        self._stall = Timer()
        self._head_bytes = 0
        self._is_in_head = True
        self._request.start(REQUEST_SECONDS, self._end_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._request.stop()
        self._stall.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._request.is_running and (self.cycle is None or not self.cycle.more_body):
            self._request.start(REQUEST_SECONDS, self._end_slow)
        self._head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._head_bytes > MAX_HEAD and not self.transport.is_closing():
            self._end(refusal(431, f"the head of a request is longer than {MAX_HEAD >> 10} KiB"))

    def on_message_begin(self) -> None:
        self._head_bytes, self._is_in_head = 0, True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._request.stop()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._request.stop()
        super().handle_websocket_upgrade()

    def shutdown(self) -> None:
        """Close, except while an answer is on its way; a request that has not even arrived is not waited for."""
        if self.cycle is not None and self.cycle.more_body:
            self.transport.close()
        super().shutdown()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall.start(STALL_SECONDS, partial(drop, self.transport))

    def resume_writing(self) -> None:
        self._stall.stop()
        super().resume_writing()

    def _end_slow(self) -> None:
        is_answering = self.cycle is not None and not self.cycle.response_complete
        self._end(b"" if is_answering else refusal(408, f"no whole request came within {REQUEST_SECONDS:g} s"))

    def send_400_response(self, msg: str) -> None:
        self._end(refusal(400, msg))

    def _end(self, words: bytes) -> None:
        if words:
            self.transport.write(words)
        self.transport.close()


class PatientWebSocket(WebSocketsSansIOProtocol):
    """Drops a reader that stalls: uvicorn would wait for it without end, and keep what it does not read.

    The kernel takes a lot before writing stalls; that nobody reads at all shows sooner, by pings that are not answered.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._stall = Timer()
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stall.stop()
        super().connection_lost(exc)

    def keepalive_timeout(self) -> None:
        now = self.loop.time()
        if now - self.ping_sent_at > PONG_SECONDS + LATE_SECONDS:  # we stood still ourselves; the answer may wait
            self.ping_sent_at = now
            self.pong_timer = self.loop.call_later(PONG_SECONDS, self.keepalive_timeout)
            return
        super().keepalive_timeout()
        drop(self.transport)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall.start(STALL_SECONDS, partial(drop, self.transport))

    def resume_writing(self) -> None:
        self._stall.stop()
        super().resume_writing()


class Server(uvicorn.Server):
    """Serves until `stop`. Signals are the business of the program, not of its web server."""

    def __init__(
        self,
        application: ASGIApp,
        listener: socket.socket,
        context: ssl.SSLContext | None,
        trusted_proxies: Sequence[str] = (),
    ) -> None:
        self._listener = listener
        super().__init__(
            uvicorn.Config(
                application,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(trusted_proxies),
                forwarded_allow_ips=list(trusted_proxies),
                http=PatientHttp,
                ws=PatientWebSocket,
                ws_max_size=MAX_FRAME,
                ws_ping_interval=PING_SECONDS,
                ws_ping_timeout=PONG_SECONDS,
                timeout_graceful_shutdown=GRACEFUL_SECONDS,
                ssl_context_factory=None if context is None else lambda _config, _default: context,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, with a limit on the TLS handshake, which uvicorn cannot be told."""

        def protocol() -> asyncio.Protocol:
            return PatientHttp(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

        loop, context = asyncio.get_running_loop(), self.config.ssl
        patience = HANDSHAKE_SECONDS if context else None
        self.servers = [
            await loop.create_server(
                protocol,
                sock=one,
                backlog=2048,
                ssl=context,
                ssl_handshake_timeout=patience,
                ssl_shutdown_timeout=patience,
            )
            for one in sockets or []
        ]
        self.started = True

    async def run_until_stopped(self) -> None:
        await self.serve(sockets=[self._listener])

    def stop(self) -> None:
        """End gracefully; asked a second time, at once."""
        self.force_exit = self.should_exit
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
