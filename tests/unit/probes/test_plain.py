"""What the engine of our own meets: every way in which HTTP/1.1 frames an answer, and connections that are kept."""

import asyncio
import errno
import socket

import pytest
from tests.servers import Recorder, listening, service

from fks_master.model import HttpOptions, Method, Outcome, Reason, Result, Service
from fks_master.probes import plain
from fks_master.probes.prober import Prober
from fks_master.probes.question import plain_question


def is_plain(one: Service) -> bool:
    return plain_question(one) is not None


async def ask(prober: Prober, reply: bytes, **http: object) -> Result:
    server = Recorder(reply)
    async with listening(server.handle) as port:
        return await prober.probe(service(port, http=HttpOptions(**http), timeout_seconds=2.0))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood",
        b"HTTP/1.1 200 OK\r\n\r\ngood",
        b"HTTP/1.0 200 OK\r\n\r\ngood",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ngo\r\n2\r\nod\r\n0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\ngood",
    ],
)
async def test_every_framing_is_read(prober: Prober, reply: bytes) -> None:
    result = await ask(prober, reply, contains=("good",))
    assert (result.outcome, result.status_code, result.message) == (Outcome.SUCCESS, 200, None)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\nhalf", Reason.RESET),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ngo\r\n", Reason.RESET),
        (b"HTTP/1.1 200 OK\r\nTransfer-Enco", Reason.RESET),
        (b"HTTP/1.1 100 Continue\r\n\r\n", Reason.RESET),
        (b"", Reason.RESET),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Reason.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", Reason.PROTOCOL),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", Reason.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\n" + b"X-Padding: 1234567890\r\n" * 5000 + b"\r\n", Reason.PROTOCOL),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 50_000, Reason.PROTOCOL),
    ],
    ids=[
        "body",
        "chunks",
        "head",
        "early",
        "nothing",
        "no http",
        "two lengths",
        "upgrade",
        "endless head",
        "endless 1xx",
    ],
)
async def test_what_is_no_whole_answer_fails_with_its_reason(prober: Prober, reply: bytes, reason: Reason) -> None:
    result = await ask(prober, reply)
    assert (result.outcome, result.reason) == (Outcome.FAILURE, reason)


@pytest.mark.parametrize("after", [b"HTTP/1.1 200 OK\r\nLocation: /x\r\nContent-Length: 2\r\n\r\nok", b"junk"])
@pytest.mark.parametrize("is_kept", [False, True])
async def test_what_follows_an_answer_does_not_take_its_place(prober: Prober, after: bytes, *, is_kept: bool) -> None:
    first = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nsick"
    result = await ask(prober, first + after, reuse_connection=is_kept)
    assert (result.reason, result.status_code, result.excerpt) == (Reason.STATUS, 503, "sick")


async def test_an_answer_to_head_has_no_body(prober: Prober) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n"
    server = Recorder(reply, keep_open=True)
    async with listening(server.handle) as port:
        result = await prober.probe(service(port, http=HttpOptions(method=Method.HEAD)))
    assert result.outcome is Outcome.SUCCESS


async def test_a_server_that_speaks_first_is_heard(prober: Prober) -> None:
    async def speak_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 503 Too many connections\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.write_eof()
        await reader.read()

    async with listening(speak_first) as port:
        result = await prober.probe(service(port))
    assert (result.reason, result.message) == (Reason.STATUS, "HTTP 503")


async def test_what_cannot_be_asked_for_want_of_descriptors_is_not_the_services_fault(
    prober: Prober, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    async with listening(Recorder().handle) as port:
        monkeypatch.setattr(plain.socket, "socket", refuse)
        result = await prober.probe(service(port))
    assert result.outcome is Outcome.VOID


class Closing:
    """Answers on a connection so often, then closes it when the next request comes."""

    def __init__(self, answers: int) -> None:
        self.answers = answers
        self.connections = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        for _ in range(self.answers):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()
        await reader.readuntil(b"\r\n\r\n")


async def test_a_kept_connection_that_was_closed_meanwhile_is_replaced(prober: Prober) -> None:
    server = Closing(2)
    async with listening(server.handle) as port:
        one = service(port, http=HttpOptions(reuse_connection=True))
        results = [await prober.probe(one) for _ in range(5)]
    assert {result.outcome for result in results} == {Outcome.SUCCESS}
    assert server.connections == 3


async def test_a_fresh_connection_that_is_closed_is_not_tried_again(prober: Prober) -> None:
    server = Closing(0)
    async with listening(server.handle) as port:
        result = await prober.probe(service(port, http=HttpOptions(reuse_connection=True)))
    assert result.reason is Reason.RESET
    assert server.connections == 1


async def test_a_connection_is_kept_only_where_the_server_keeps_it(prober: Prober) -> None:
    server = Recorder(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", keep_open=True)
    async with listening(server.handle) as port:
        one = service(port, http=HttpOptions(reuse_connection=True))
        for _ in range(2):
            await prober.probe(one)
    assert server.connections == 2


@pytest.mark.parametrize(
    ("endpoint", "http", "expected"),
    [
        ("http://127.0.0.1:8000/health", {}, True),
        ("http://[::1]:8000/health?deep=1", {}, True),
        ("http://app/health", {"headers": {"Host": "other"}}, True),
        ("https://127.0.0.1/health", {}, False),
        ("http://user:word@127.0.0.1/", {}, False),
        ("http://127.0.0.1/a/../b", {}, False),
        ("http://127.0.0.1/a b", {}, False),
        ("http://127.0.0.1/#part", {}, False),
        ("http://127.0.0.1:99999/", {}, False),
        ("http://127.0.0.1/", {"method": Method.POST}, False),
        ("http://127.0.0.1/", {"body": "x"}, False),
        ("http://127.0.0.1/", {"proxy": "http://proxy:1"}, False),
        ("http://127.0.0.1/", {"headers": {"Connection": "upgrade"}}, False),
        ("http://127.0.0.1/", {"headers": {"Accept": ""}}, False),
    ],
)
def test_only_what_is_no_more_than_plain_http_is_asked_without_libcurl(
    endpoint: str, http: dict[str, object], expected: bool
) -> None:
    assert is_plain(service(endpoint, http=HttpOptions(**http))) is expected  # type: ignore[arg-type]


async def test_a_header_of_the_configuration_takes_the_place_of_ours(prober: Prober) -> None:
    server = Recorder()
    async with listening(server.handle) as port:
        await prober.probe(service(port, http=HttpOptions(headers={"host": "shop.example", "X-Token": "ä"})))
    lines = server.requests[0].split(b"\r\n")
    assert [line for line in lines if line.lower().startswith(b"host:")] == [b"host: shop.example"]
    assert "X-Token: ä".encode("latin-1") in lines


async def test_a_thread_that_dies_is_not_mourned_in_silence(prober: Prober, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(plain.PlainEngine, "turn", fail)
    with pytest.raises(ZeroDivisionError):
        async with asyncio.timeout(20):
            await prober.watch()


async def test_a_connection_that_goes_wrong_in_us_harms_no_other(
    prober: Prober, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    async with listening(Recorder().handle) as port:
        with monkeypatch.context() as broken:
            broken.setattr(plain.PlainEngine, "_parse", fail)
            with pytest.raises(ZeroDivisionError):
                await prober.probe(service(port))
        assert (await prober.probe(service(port))).outcome is Outcome.SUCCESS
