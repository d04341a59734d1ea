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
    writers = []

    async def remembered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await handle(reader, writer)

    server = await asyncio.start_server(quietly(remembered), "127.0.0.1", 0, **options)  # type: ignore[arg-type]
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)  # for the handlers to see it


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


class NameServer(asyncio.DatagramProtocol):
    """Answers A queries from a table: addresses, an RCODE as a number, or None for silence; others have no records.

    Further records are given as name, type and ready data. `delays` are the seconds that a name takes.
    """

    def __init__(self, table: dict[str, list[str] | int | None], records: dict[tuple[str, int], list[bytes]]) -> None:
        self.table = table
        self.records = records
        self.asked: list[tuple[str, int]] = []
        self.delays: dict[str, float] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        name, end = _read_name(data)
        kind = int.from_bytes(data[end : end + 2], "big")
        self.asked.append((name, kind))
        entry = self.table.get(name, 3 if not any(name == known for known, _ in self.records) else [])
        if entry is None:
            return
        answers = list(self.records.get((name, kind), []))
        if kind == 1 and isinstance(entry, list):
            answers += [bytes(map(int, one.split("."))) for one in entry]
        code = entry if isinstance(entry, int) else 0
        head = data[:2] + (0x8180 | code).to_bytes(2, "big") + b"\0\1" + len(answers).to_bytes(2, "big") + bytes(4)
        body = [b"\xc0\x0c" + kind.to_bytes(2, "big") + b"\0\1" + bytes(4) + _sized(one) for one in answers]
        reply = head + data[12 : end + 4] + b"".join(body)
        asyncio.get_running_loop().call_later(self.delays.get(name, 0.0), self._reply, reply, address)

    def _reply(self, reply: bytes, address: tuple[str, int]) -> None:
        if not self.transport.is_closing():
            self.transport.sendto(reply, address)  # type: ignore[attr-defined]


def _read_name(data: bytes) -> tuple[str, int]:
    labels, position = [], 12
    while data[position]:
        labels.append(data[position + 1 : position + 1 + data[position]].decode().lower())
        position += 1 + data[position]
    return ".".join(labels), position + 1


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


@asynccontextmanager
async def name_server(
    table: dict[str, list[str] | int | None], records: dict[tuple[str, int], list[bytes]] | None = None
) -> AsyncIterator[tuple[NameServer, str]]:
    """Serve names on a free port of 127.0.0.1; gives the server and its address with port."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: NameServer(table, records or {}), ("127.0.0.1", 0)
    )
    try:
        yield protocol, f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    finally:
        transport.close()
