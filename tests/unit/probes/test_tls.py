import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from tests.servers import listening, make_certificate, service
from tests.unit.probes.test_tcp import greet_and_hang_up, say_nothing

from fks_master.model import Outcome, Reason, Result, TlsOptions
from fks_master.probes.prober import Prober
from fks_master.probes.route import NO_ROUTE
from fks_master.probes.tls import _under_its_name


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[tuple[int, Path]]:
    certificate, key = make_certificate(tmp_path, 90, "DNS:app.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with listening(say_nothing, ssl=context) as port:
        yield port, certificate


async def ask(prober: Prober, port: int, **options: object) -> Result:
    tls = TlsOptions(**options)  # type: ignore[arg-type]
    return await prober.probe(service(f"tls://127.0.0.1:{port}", tls=tls, timeout_seconds=2.0))


async def test_a_handshake_under_the_servers_own_name_is_good(prober: Prober, server: tuple[int, Path]) -> None:
    port, certificate = server
    result = await ask(prober, port, ca=str(certificate), server_name="app.test")
    assert (result.outcome, result.message) == (Outcome.SUCCESS, None)
    assert result.certificate is not None
    assert 89 < result.certificate.days_left(result.at) < 91
    assert result.phases.tls > 0


@pytest.mark.parametrize(
    ("address", "url", "resolved"),
    [
        ("tls://127.0.0.1", "https://app.test:443", "+app.test:443:127.0.0.1"),
        ("tls://127.0.0.1:8443", "https://app.test:8443", "+app.test:8443:127.0.0.1"),
        ("tls://[::1]", "https://app.test:443", "+app.test:443:[::1]"),
        ("tls://[::1]:8443", "https://app.test:8443", "+app.test:8443:[::1]"),
    ],
)
def test_another_name_is_asked_for_at_the_same_address(address: str, url: str, resolved: str) -> None:
    asked = service(address, tls=TlsOptions(server_name="app.test"))
    route = _under_its_name(asked, msgspec.structs.replace(NO_ROUTE, url=address.replace("tls", "https")))
    assert (route.url, route.resolved) == (url, (resolved,))


async def test_a_server_whose_name_does_not_resolve_is_not_reached(prober: Prober) -> None:
    assert (await prober.probe(service("tls://no.such.host.invalid:443"))).reason is Reason.DNS


async def test_another_name_is_a_fault(prober: Prober, server: tuple[int, Path]) -> None:
    assert (await ask(prober, server[0], ca=str(server[1]))).reason is Reason.TLS


async def test_an_unknown_authority_is_a_fault_unless_it_is_not_asked(prober: Prober, server: tuple[int, Path]) -> None:
    assert (await ask(prober, server[0], server_name="app.test")).reason is Reason.TLS
    result = await ask(prober, server[0], verify=False)
    assert result.outcome is Outcome.SUCCESS
    assert result.certificate is not None


@pytest.mark.parametrize(("handle", "reason"), [(greet_and_hang_up, Reason.TLS), (say_nothing, Reason.TIMEOUT)])
async def test_a_server_without_tls_is_a_fault(prober: Prober, handle: object, reason: Reason) -> None:
    async with listening(handle) as port:  # type: ignore[arg-type]
        assert (await ask(prober, port)).reason is reason


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_no_connection_stays_open(prober: Prober, server: tuple[int, Path]) -> None:
    await ask(prober, server[0], verify=False)
    before = open_files()
    for _ in range(5):
        await ask(prober, server[0], verify=False)
    assert open_files() <= before + 2
