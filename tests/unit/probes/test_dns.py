from collections.abc import AsyncIterator

import pytest
from tests.servers import name_server, service

from fks_master.model import DnsOptions, Outcome, Reason, RecordType, Result
from fks_master.probes.prober import Prober

MX, TXT, SRV = 15, 16, 33
RECORDS = {
    ("mail.test", MX): [b"\x00\x0a\x02mx\x04test\x00"],
    ("mail.test", TXT): [b"\x06v=spf1"],
    ("odd.test", TXT): [b"\x0a\x1b[2J\xff\r\nend"] + [b"\x50" + b"x" * 80] * 30,
    ("mail.test", SRV): [b"\x00\x01\x00\x02\x00\x50\x02mx\x04test\x00"],
}


@pytest.fixture
async def server() -> AsyncIterator[str]:
    async with name_server({"app.test": ["10.0.0.1", "10.0.0.2"], "silent.test": None}, RECORDS) as (_, address):
        yield address


async def ask(prober: Prober, endpoint: str, record: str = "A", *expected: str) -> Result:
    options = DnsOptions(record=RecordType(record), expected=expected)
    return await prober.probe(service(endpoint, dns=options, timeout_seconds=1.0))


@pytest.mark.parametrize(
    ("name", "record", "expected"),
    [
        ("app.test", "A", ()),
        ("app.test", "A", ("10.0.0.2",)),
        ("mail.test", "MX", ("10 mx.test.",)),
        ("mail.test", "TXT", ("v=spf1",)),
        ("mail.test", "SRV", ("1 2 80 MX.test",)),
    ],
)
async def test_records_are_found(
    prober: Prober, server: str, name: str, record: str, expected: tuple[str, ...]
) -> None:
    result = await ask(prober, f"dns://{server}/{name}", record, *expected)
    assert (result.outcome, result.message) == (Outcome.SUCCESS, None)


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (("app.test", "A", "10.0.0.9"), Reason.BODY),
        (("app.test", "MX"), Reason.DNS),
        (("unknown.test", "A"), Reason.DNS),
        (("silent.test", "A"), Reason.TIMEOUT),
        (("bad..name", "A"), Reason.DNS),
    ],
)
async def test_what_is_missing_fails(prober: Prober, server: str, question: tuple[str, ...], reason: Reason) -> None:
    name, *rest = question
    assert (await ask(prober, f"dns://{server}/{name}", *rest)).reason is reason


async def test_what_was_found_is_told_in_short_and_steers_no_terminal(prober: Prober, server: str) -> None:
    result = await ask(prober, f"dns://{server}/odd.test", "TXT", "v=spf1")
    assert (result.reason, len(result.message or "") < 300) == (Reason.BODY, True)
    assert (result.message or "").startswith("Found \ufffd[2J\ufffd end, xxx")
    assert (result.message or "").isprintable()


async def test_the_systems_name_servers_know_localhost_or_say_why(prober: Prober) -> None:
    assert (await ask(prober, "dns://localhost")).reason in {None, Reason.DNS, Reason.TIMEOUT}


async def test_a_name_server_that_has_no_address_itself_fails(prober: Prober) -> None:
    result = await ask(prober, "dns://no.such.host.invalid/app.test")
    assert (result.reason, result.outcome) == (Reason.DNS, Outcome.FAILURE)
