import asyncio
import gzip
import json
import sys
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest
from tests.servers import Recorder, answer, listening, service

from fks_master.clock import SystemClock
from fks_master.model import HttpOptions, Outcome, Reason
from fks_master.probes.answer import BODY_LIMIT
from fks_master.probes.detail import read_report
from fks_master.probes.prober import Prober

FLAT = 3_000_000


@pytest.fixture
async def prober() -> AsyncIterator[Prober]:
    one = Prober(SystemClock())
    one.start()
    yield one
    await one.close()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
async def test_a_compressed_bomb_does_not_explode(prober: Prober, encoding: str) -> None:
    pack = gzip.compress if encoding == "gzip" else zlib.compress
    reply = answer("200 OK", pack(b" " * 64_000_000), f"Content-Encoding: {encoding}")
    async with listening(Recorder(reply).handle) as port:
        tracemalloc.start()
        result = await prober.probe(service(port, http=HttpOptions(json={"status": "ok"})))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert result.reason is Reason.BODY
    assert peak < FLAT


async def test_an_endless_body_is_read_to_the_limit_and_no_further(prober: Prober) -> None:
    stopped = asyncio.Event()

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 16_384)
                await writer.drain()
        finally:
            stopped.set()

    async with listening(pour) as port:
        tracemalloc.start()
        result = await prober.probe(service(port))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        await stopped.wait()
    assert result.outcome is Outcome.SUCCESS
    assert peak < FLAT


async def test_a_trickling_body_ends_at_the_timeout(prober: Prober) -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with listening(trickle) as port:
        result = await prober.probe(service(port, timeout_seconds=0.5))
    assert result.reason is Reason.TIMEOUT


@pytest.mark.parametrize("bomb", [b"X-Bomb: " + b"x" * 2_000_000 + b"\r\n", b"X-Bomb: x\r\n" * 200_000])
async def test_a_bomb_of_headers_is_refused(prober: Prober, bomb: bytes) -> None:
    async with listening(Recorder(b"HTTP/1.1 200 OK\r\n" + bomb + b"\r\n").handle) as port:
        tracemalloc.start()
        result = await prober.probe(service(port))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert result.outcome is Outcome.FAILURE
    assert peak < FLAT + len(bomb)


DOWN = {str(number): "down" for number in range(60)}


def nested(depth: int) -> bytes:
    return (b'{"components":{"a":' * depth + b'{"status":"down"}' + b"}}" * depth)[:BODY_LIMIT]


@pytest.mark.parametrize(
    "body",
    [
        nested(100),
        nested(3000),
        b"[" * BODY_LIMIT,
        json.dumps(
            {"components": {str(n): {"components": {str(m): "down" for m in range(60)}} for n in range(60)}}
        ).encode(),
        json.dumps({"status": "down", "message": "\x00\u2028" * 5000}).encode(),
        b'{"status": 1e999999, "components": {"a": {"latency_ms": 1e308, "status": "up"}}}',
        b'{"status":"up","components":{"a":{"status":"up","duration":"' + b"9" * 60_000 + b'"}}}',
    ],
)
def test_no_body_is_slow_to_read(body: bytes) -> None:
    tracer = sys.gettrace()
    sys.settrace(None)  # what measures coverage would be measured too
    try:
        began = time.thread_time()
        read_report(body)
        assert time.thread_time() - began < 0.1
    finally:
        sys.settrace(tracer)
