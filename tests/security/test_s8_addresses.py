"""S8: where notifications may go: the operator's word counts, credentials of clouds are never asked for.

A loopback address plays the metadata service, so that a real server can tell whether anybody came.
"""

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pycurl
import pytest
from tests.process import monitor
from tests.servers import Recorder, answer, listening, quietly

from fks_master.alerts import addresses, post
from fks_master.alerts.addresses import is_forbidden
from fks_master.alerts.notice import Notice
from fks_master.alerts.notify import KINDS, Answer, Receiver, Verdict
from fks_master.alerts.notify.options import EmailOptions
from fks_master.alerts.sender import Sender

NOTICE = Notice("1", "ServiceDown", "api", "API", "down", datetime(2026, 1, 1, tzinfo=UTC))
SECRETIVE = "127.0.0.66"


@pytest.mark.parametrize(
    "text",
    [
        "169.254.169.254", "169.254.170.2", "169.254.1.1", "100.100.100.200", "168.63.129.16", "192.0.0.192",
        "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fe80::a9fe:a9fe%eth0", "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe", "::a9fe:a9fe", "::ffff:0:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::", "2002:a9fe:a9fe:1::5", "fe80::5efe:a9fe:a9fe", "2001:db8::5efe:a9fe:a9fe",
    ],
)  # fmt: skip
def test_metadata_is_known_in_every_form(text: str) -> None:
    assert is_forbidden(text)


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1", "::1", "10.0.0.5", "192.168.1.1", "172.18.0.3", "fd00::5", "fe80::1", "8.8.8.8", "2606:4700::1111"],
)
def test_what_an_operator_may_mean_is_allowed(text: str) -> None:
    assert not is_forbidden(text)


@pytest.fixture
async def secretive(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Recorder, int]]:
    """Serve at an address that is forbidden for the time of a test."""
    known = addresses._METADATA | {ipaddress.ip_address(SECRETIVE)}
    monkeypatch.setattr(addresses, "_METADATA", known)
    recorder = Recorder()
    server = await asyncio.start_server(quietly(recorder.handle), SECRETIVE, 0)
    yield recorder, server.sockets[0].getsockname()[1]
    server.close()
    await asyncio.sleep(0.01)


async def send(url: str, kind: str = "webhook", **options: Any) -> Answer:
    receiver = Receiver("ops", kind, url, **options)
    return await Sender().send("ops", KINDS[kind].render(receiver, [NOTICE], NOTICE.timestamp))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.66", "127.66", "0177.0.0.102", "0x7f.0.0.0x42", "0x7f000042", "2130706498", "[::ffff:127.0.0.66]",
     "[::ffff:7f00:42]", "127.0.0.66.", "①27.0.0.66"],
)  # fmt: skip
async def test_no_spelling_of_a_forbidden_address_is_connected_to(secretive: tuple[Recorder, int], host: str) -> None:
    recorder, port = secretive
    found = await send(f"http://{host}:{port}/latest/meta-data")
    assert found.verdict is Verdict.AGAIN
    assert recorder.connections == 0


async def test_a_name_that_turns_into_a_forbidden_address_is_not_connected_to(
    secretive: tuple[Recorder, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer of the name server is judged where it is used; there is no time between question and use."""
    recorder, port = secretive
    prepare = post._prepare

    def rebound(handle: Any, *rest: Any) -> None:
        prepare(handle, *rest)
        handle.setopt(pycurl.RESOLVE, [f"rebind.example:{port}:127.0.0.1,{SECRETIVE}"])

    monkeypatch.setattr(post, "_prepare", rebound)
    found = await send(f"http://rebind.example:{port}/")
    assert found.verdict is Verdict.AGAIN
    assert recorder.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.66", "127.66", "0x7f000042", "2130706498"])
async def test_mail_goes_to_no_forbidden_address(secretive: tuple[Recorder, int], host: str) -> None:
    recorder, port = secretive
    options = EmailOptions(sender="a@example.org", to=("b@example.org",), starttls=False)
    found = await send(f"smtp://{host}:{port}", "email", email=options)
    assert (found.verdict, found.text) == (Verdict.AGAIN, "this address is forbidden")
    assert recorder.connections == 0


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"])
async def test_a_redirect_is_not_followed(status: str) -> None:
    goal = Recorder()
    async with listening(goal.handle) as there:
        server = Recorder(answer(status, b"", f"Location: http://127.0.0.1:{there}/"))
        async with listening(server.handle) as port:
            found = await send(f"http://127.0.0.1:{port}/")
    assert (found.verdict, found.text) == (Verdict.REFUSED, f"HTTP {status[:3]}: redirects are not followed")
    assert (len(server.requests), goal.connections) == (1, 0)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "gopher://127.0.0.1:1/x", "ftp://127.0.0.1:1/", "dict://127.0.0.1:1/"]
)
async def test_nothing_but_http_is_spoken(url: str) -> None:
    assert (await send(url)).text == "curl error 1"


async def test_what_the_config_names_is_used_as_it_stands() -> None:
    server = Recorder()
    async with listening(server.handle) as port:
        assert (await send(f"http://localhost:{port}/")).verdict is Verdict.SENT
        assert (await send(f"http://127.1:{port}/")).verdict is Verdict.SENT


async def test_the_environment_sets_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, server = Recorder(), Recorder()
    async with listening(proxy.handle) as there, listening(server.handle) as port:
        for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{there}")
        assert (await send(f"http://127.0.0.1:{port}/")).verdict is Verdict.SENT
    assert (proxy.connections, server.connections) == (0, 1)


def test_nothing_that_comes_through_the_api_names_an_address(tmp_path: Path) -> None:
    """Receivers stand in the config alone: no body of the API has a place for an address."""
    config = tmp_path / "monitor.toml"
    config.write_text("")
    with monitor("--config", str(config)) as one:
        document = one.get("/openapi.json")
        bodies = {
            what["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            for methods in document["paths"].values()
            for what in methods.values()
            if "requestBody" in what and "application/json" in what["requestBody"]["content"]
        }
        assert len(bodies) > 3
        fields = {name for body in bodies for name in document["components"]["schemas"][body]["properties"]}
        assert not [name for name in fields if any(word in name for word in ("url", "address", "host", "endpoint"))]
        silence = {"matchers": {"service_id": "a"}, "duration_seconds": 60, "url": "http://169.254.169.254/"}
        assert one.request("/api/silences", "POST", silence)[0] == 400
