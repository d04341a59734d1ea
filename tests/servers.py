"""Real servers on loopback that misbehave in one way each."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fks_master.model import Service

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answer(status: str = "200 OK", body: bytes = b"ok", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class Recorder:
    """Answers every request with the same bytes and remembers what was asked; None: never answers."""

    def __init__(self, reply: bytes | None = answer(), *, keep_open: bool = False) -> None:
        self.reply = reply
        self.keep_open = keep_open
        self.requests: list[bytes] = []
        self.connections = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
            )
            self.requests.append(head + await reader.readexactly(length))
            if self.reply is None:
                await reader.read()
                return
            writer.write(self.reply)
            await writer.drain()
            if not self.keep_open:
                return


def quietly(handle: Handle) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """Close at the end, and do not mind that the other side went away."""

    async def wrapped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    return wrapped


@asynccontextmanager
async def listening(handle: Handle, **options: object) -> AsyncIterator[int]:
    """Serve on a free port of 127.0.0.1."""
    server = await asyncio.start_server(quietly(handle), "127.0.0.1", 0, **options)  # type: ignore[arg-type]
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def service(endpoint: str | int, **more: object) -> Service:
    """Make a service; a number is a port at which HTTP is spoken."""
    url = f"http://127.0.0.1:{endpoint}/health" if isinstance(endpoint, int) else endpoint
    settings = {"tries": 1, "timeout_seconds": 5.0} | more
    return Service("one", "One", url, **settings)  # type: ignore[arg-type]


def make_certificate(folder: Path, days: int = 90, name: str = "IP:127.0.0.1") -> tuple[Path, Path]:
    """Make a self-signed certificate and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    options = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", str(days)]
    files = ["-subj", "/CN=test", "-addext", f"subjectAltName={name}", "-keyout", key, "-out", certificate]
    subprocess.run(["openssl", "req", *options, *files], check=True, capture_output=True, timeout=30)
    return certificate, key
