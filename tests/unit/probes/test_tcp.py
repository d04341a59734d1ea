import asyncio
import socket

import pytest
from tests.servers import listening, service

from fks_master.model import Outcome, Reason, TcpOptions
from fks_master.probes.prober import Prober


async def redis(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.readuntil(b"\r\n") == b"PING\r\n":
        for part in (b"+PO", b"NG\r\n"):
            writer.write(part)
            await writer.drain()


async def greet_and_hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"550 go away\r\n")
    await writer.drain()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize(
    ("handle", "options", "reason"),
    [
        (say_nothing, TcpOptions(), None),
        (redis, TcpOptions(send="PING\r\n", expect=r"^\+PONG"), None),
        (greet_and_hang_up, TcpOptions(expect="^220 "), Reason.BODY),
        (say_nothing, TcpOptions(send="PING\r\n", expect="PONG"), Reason.TIMEOUT),
    ],
)
async def test_a_server_is_judged_by_what_it_says(
    prober: Prober, handle: object, options: TcpOptions, reason: Reason | None
) -> None:
    async with listening(handle) as port:  # type: ignore[arg-type]
        result = await prober.probe(service(f"tcp://127.0.0.1:{port}", tcp=options, timeout_seconds=1.0))
    assert result.reason is reason
    assert (result.outcome is Outcome.SUCCESS) is (reason is None)
    assert result.phases.connect > 0
    assert result.remote == "127.0.0.1"


async def test_the_message_quotes_what_was_said(prober: Prober) -> None:
    async with listening(greet_and_hang_up) as port:
        result = await prober.probe(service(f"tcp://127.0.0.1:{port}", tcp=TcpOptions(expect="^220 ")))
    assert result.message == 'The answer "550 go away" does not match "^220 "'


async def test_a_closed_port_is_refused(prober: Prober) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        result = await prober.probe(service(f"tcp://127.0.0.1:{unused.getsockname()[1]}"))
    assert (result.reason, result.message) == (Reason.REFUSED, "Connection refused")


async def test_the_second_address_is_tried_when_the_first_refuses(prober: Prober) -> None:
    async with listening(say_nothing) as port:
        result = await prober.probe(service(f"tcp://localhost:{port}"))
    assert (result.outcome, result.remote) == (Outcome.SUCCESS, "127.0.0.1")


async def test_a_name_that_is_none_is_a_fault_of_dns(prober: Prober) -> None:
    assert (await prober.probe(service("tcp://bad..name:1"))).reason is Reason.DNS


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while not reader.at_eof():
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0)


async def talk_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while not reader.at_eof():
        writer.write(b"a" * 65536)
        await writer.drain()


@pytest.mark.parametrize("handle", [drip, talk_without_end])
async def test_who_talks_without_end_is_not_listened_to_for_ever(prober: Prober, handle: object) -> None:
    async with listening(handle) as port:  # type: ignore[arg-type]
        result = await prober.probe(
            service(f"tcp://127.0.0.1:{port}", tcp=TcpOptions(expect="^(a+)+$"), timeout_seconds=30.0)
        )
        never = await prober.probe(service(f"tcp://127.0.0.1:{port}", tcp=TcpOptions(expect="b"), timeout_seconds=30.0))
    assert result.outcome is Outcome.SUCCESS
    assert (never.reason, never.seconds < 30) == (Reason.BODY, True)
