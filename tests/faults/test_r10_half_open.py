"""R10: targets that are half open have their verdict in time, with the right reason."""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.servers import listening

from fks_master.clock import SystemClock
from fks_master.model import Reason, Result, Service, TcpOptions
from fks_master.probes.prober import Prober

TIMEOUT = 1.0
LATE = 0.3
CHANCES = 6  # a loaded machine may be late itself, but not every time
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


async def accept_and_say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def reset_in_the_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
    await writer.drain()
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()


async def close_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
    await writer.drain()


async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


@asynccontextmanager
async def dropping_connections() -> AsyncIterator[int]:
    """Listen without accepting, the queue full: the kernel drops every further SYN."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        queue = [socket.socket() for _ in range(4)]
        for one in queue:
            one.settimeout(0)
            one.connect_ex(("127.0.0.1", port))
        yield port
        for one in queue:
            one.close()


async def half_a_handshake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begin a ServerHello of 122 bytes, and never end it."""
    await reader.read(1)
    writer.write(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03")
    await writer.drain()
    await reader.read()


async def ask(endpoint: str) -> tuple[Result, float]:
    """Give the result, and how many seconds passed until it was there."""
    prober = Prober(SystemClock())
    prober.start()
    one = Service("one", "One", endpoint, timeout_seconds=TIMEOUT, tries=1, tcp=TcpOptions(expect="x"))
    began = time.monotonic()
    result = await prober.probe(one)
    seconds = time.monotonic() - began
    await prober.close()
    return result, seconds


async def verdict(endpoint: str) -> Result:
    """Ask until the verdict is there in time."""
    for _ in range(CHANCES):
        result, seconds = await ask(endpoint)
        assert result.reason is not None
        if max(seconds, result.seconds) < TIMEOUT + LATE:
            return result
    raise AssertionError(f"{seconds:.3f} s, each of {CHANCES} times")


@pytest.mark.parametrize("scheme", ["http", "https", "tcp", "tls"])
async def test_a_dropped_syn_ends_at_the_timeout(scheme: str) -> None:
    async with dropping_connections() as port:
        result = await verdict(f"{scheme}://127.0.0.1:{port}")
    assert result.reason is Reason.TIMEOUT
    assert result.seconds > TIMEOUT - 0.1


@pytest.mark.parametrize(
    ("handle", "scheme", "reason"),
    [
        (accept_and_say_nothing, "http", Reason.TIMEOUT),
        (accept_and_say_nothing, "https", Reason.TIMEOUT),
        (accept_and_say_nothing, "tls", Reason.TIMEOUT),
        (accept_and_say_nothing, "tcp", Reason.TIMEOUT),
        (half_a_handshake, "https", Reason.TIMEOUT),
        (half_a_handshake, "tls", Reason.TIMEOUT),
        (reset_in_the_body, "http", Reason.RESET),
        (close_early, "http", Reason.RESET),
        (trickle, "http", Reason.TIMEOUT),
    ],
)
async def test_half_an_answer_has_its_reason_in_time(handle: object, scheme: str, reason: Reason) -> None:
    async with listening(handle) as port:  # type: ignore[arg-type]
        assert (await verdict(f"{scheme}://127.0.0.1:{port}/")).reason is reason
