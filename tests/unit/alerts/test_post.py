"""What answers mean, and receivers that answer in evil ways."""

import asyncio
import json
import time
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.servers import Recorder, listening

from fks_master.alerts import post
from fks_master.alerts.notify import Answer, Request, Verdict, kind_of_address, template
from fks_master.alerts.post import judge, retry_after
from fks_master.alerts.sender import Sender


async def ask(port: int) -> Answer:
    return await Sender().send("ops", Request(f"http://127.0.0.1:{port}/", b"{}"))


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.SENT), (204, Verdict.SENT), (299, Verdict.SENT), (301, Verdict.REFUSED), (400, Verdict.REFUSED),
        (401, Verdict.REFUSED), (404, Verdict.REFUSED), (410, Verdict.REFUSED), (408, Verdict.AGAIN),
        (425, Verdict.AGAIN), (429, Verdict.AGAIN), (500, Verdict.AGAIN), (503, Verdict.AGAIN), (0, Verdict.REFUSED),
    ],
)  # fmt: skip
def test_a_status_decides(status: int, verdict: Verdict) -> None:
    assert judge(status, b"", b"").verdict is verdict


@pytest.mark.parametrize(
    ("head", "seconds"),
    [
        (b"HTTP/1.1 429 x\r\nRetry-After: 7\r\n", 7),
        (b"retry-after:7.5\r\n", 7.5),
        (b"Retry-After: 99999\r\n", 300),
        (b"Date: Wed, 21 Oct 2026 07:28:00 GMT\r\nRetry-After: Wed, 21 Oct 2026 07:28:30 GMT\r\n", 30),
        (b"Date: Wed, 21 Oct 2026 07:28:00 GMT\r\nRetry-After: Wed, 21 Oct 2020 07:28:30 GMT\r\n", 0),
        (b"Retry-After: Wed, 21 Oct 2026 07:28:30 GMT\r\n", None),
        (b"Retry-After: -5\r\n", None),
        (b"Retry-After: soon\r\n", None),
        (b"", None),
    ],
)
def test_how_long_a_receiver_wants_to_be_left_alone(head: bytes, seconds: float | None) -> None:
    assert retry_after(head) == seconds


def test_what_a_receiver_says_cannot_forge_the_log() -> None:
    assert judge(500, b"", b"a\r\nb\x1b[31m" + b"x" * 500).text.startswith("HTTP 500: a  b [31mx")
    assert len(judge(500, b"", b"x" * 500).text) < 250


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with listening(endless) as port:
        found = await ask(port)
    assert (found.verdict, found.text) == (Verdict.SENT, "HTTP 200")


async def test_endless_headers_end_the_try() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-More: " + b"x" * 8000 + b"\r\n")
            await writer.drain()

    async with listening(endless) as port:
        found = await ask(port)
    assert (found.verdict, found.text) == (Verdict.AGAIN, "too many headers")


async def test_a_trickle_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "WHOLE_MS", 300)

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with listening(trickle) as port:
        began = time.monotonic()
        found = await ask(port)
    assert (found.verdict, found.text) == (Verdict.AGAIN, "timed out")
    assert time.monotonic() - began < 20


async def test_an_answer_that_is_none_is_no_success() -> None:
    for reply in (b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"):
        server = Recorder(reply)
        async with listening(server.handle) as port:
            found = await ask(port)
        assert found.verdict is Verdict.AGAIN, reply


async def test_what_is_sent_when_we_stop_ends() -> None:
    server = Recorder(None)
    sender = Sender()
    async with listening(server.handle) as port:
        sending = asyncio.ensure_future(sender.send("ops", Request(f"http://127.0.0.1:{port}/", b"{}")))
        while not server.requests:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        sender.close()
        found = await sending
        assert (found.verdict, found.text) == (Verdict.AGAIN, "the monitor stops")
        assert (await sender.send("ops", Request("http://127.0.0.1:1/"))).text == "the monitor stops"


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://hooks.slack.com/services/T/B/x", "slack"),
        ("https://HOOKS.slack.com:443/services/T/B/x", "slack"),
        ("https://discord.com/api/webhooks/1/x", "discord"),
        ("https://canary.discord.com/api/webhooks/1/x", "discord"),
        ("https://prod-12.westus.logic.azure.com:443/workflows/x", "teams"),
        ("https://default1.2f.environment.api.powerplatform.com:443/powerautomate/x", "teams"),
        ("https://hooks.slack.com.evil.example/services", "webhook"),
        ("https://user@hooks.example/hooks.slack.com", "webhook"),
        ("http://[::1/", "webhook"),
    ],
)
def test_who_wants_a_form_of_its_own_is_known_by_its_address(url: str, kind: str) -> None:
    assert kind_of_address(url) == kind


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(message=TEXTS, reason=TEXTS)
def test_no_value_breaks_out_of_where_it_stands(message: str, reason: str) -> None:
    values = {"message": message, "data": {"reason": reason}, "events": "[]", "count": 2}
    body = template.fill('{"a": "{message}", "b": ["{data.reason}"], "n": {count}}', values, template.for_json)
    assert json.loads(body) == {"a": message, "b": [reason], "n": 2}
    form = template.fill("a={message}&b=1", values, template.escape_for("application/x-www-form-urlencoded"))
    assert parse_qs(form, keep_blank_values=True, strict_parsing=True) == {"a": [message], "b": ["1"]}
    header = template.fill("{message}", values, template.for_header)
    assert not any(ord(one) < 32 or ord(one) == 127 for one in header)
    header.encode("latin-1")
    markup = template.fill("<a>{message}</a>", values, template.escape_for("text/html"))
    assert markup.count("<") == markup.count(">") == 2
