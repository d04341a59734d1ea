"""The web server: a socket of ours, uvicorn behind it."""

import contextlib
import errno
import socket
import ssl
from collections.abc import Iterator, Sequence

import uvicorn
from starlette.types import ASGIApp

from fks_master.errors import ListenError

GRACEFUL_SECONDS = 5
MAX_FRAME = 64 * 1024


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
                ws_max_size=MAX_FRAME,
                timeout_graceful_shutdown=GRACEFUL_SECONDS,
                ssl_context_factory=None if context is None else lambda _config, _default: context,
            )
        )

    async def run_until_stopped(self) -> None:
        await self.serve(sockets=[self._listener])

    def stop(self) -> None:
        """End gracefully; asked a second time, at once."""
        self.force_exit = self.should_exit
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
