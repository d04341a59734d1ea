"""HTTP/3 probes against a real server that speaks nothing else."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aioquic.asyncio import serve
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated, QuicEvent
from tests.servers import make_certificate, service

from fks_master.config.load import load
from fks_master.errors import ConfigError
from fks_master.model import HttpOptions, HttpVersion, Outcome, Reason, Result, TlsOptions
from fks_master.probes import transfer
from fks_master.probes.prober import Prober

if not transfer.speaks(HttpVersion.HTTP_3):
    pytest.skip("the libcurl at hand speaks no HTTP/3", allow_module_level=True)


class Http3(QuicConnectionProtocol):
    """Answers every request with 200, unless its path is a status."""

    http: H3Connection | None = None

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ProtocolNegotiated):
            self.http = H3Connection(self._quic)
        for each in self.http.handle_event(event) if self.http else ():
            if isinstance(each, HeadersReceived):
                self._answer(each.stream_id, dict(each.headers)[b":path"].strip(b"/"))

    def _answer(self, stream_id: int, path: bytes) -> None:
        assert self.http is not None
        self.http.send_headers(stream_id, [(b":status", path if path.isdigit() else b"200")])
        self.http.send_data(stream_id, b'{"status":"healthy"}', end_stream=True)
        self.transmit()


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[int, str]]:
    """Give the port, and the file with the authority to trust."""
    certificate, key = make_certificate(folder)
    configuration = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN)
    configuration.load_cert_chain(certificate, key)
    server = await serve("127.0.0.1", 0, configuration=configuration, create_protocol=Http3)
    try:
        yield server._transport.get_extra_info("sockname")[1], str(certificate)
    finally:
        server.close()


async def ask(prober: Prober, port: int, ca: str | None, path: str = "health") -> Result:
    options = HttpOptions(version=HttpVersion.HTTP_3, json={"status": "healthy"})
    return await prober.probe(service(f"https://127.0.0.1:{port}/{path}", http=options, tls=TlsOptions(ca=ca)))


async def test_an_answer_over_http_3_is_judged_like_any_other(prober: Prober, tmp_path: Path) -> None:
    async with serving(tmp_path) as (port, ca):
        good, bad = await ask(prober, port, ca), await ask(prober, port, ca, "503")
    assert (good.outcome, good.http_version, good.status_code) == (Outcome.SUCCESS, "3", 200)
    assert good.certificate is not None
    assert good.phases.tls > 0
    assert (bad.reason, bad.message) == (Reason.STATUS, "HTTP 503")


async def test_an_unknown_authority_is_a_fault_over_http_3_too(prober: Prober, tmp_path: Path) -> None:
    async with serving(tmp_path) as (port, _):
        assert (await ask(prober, port, None)).reason is Reason.TLS


async def test_where_nobody_speaks_http_3_it_is_refused(prober: Prober) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    result = await ask(prober, port, None)
    assert (result.reason, result.message) == (Reason.REFUSED, "Nobody answers over HTTP/3 there")


FILE = '[[services]]\nid = "one"\nhealth_endpoint = "{url}"\n[services.http]\nversion = "3"\n{more}'


@pytest.mark.parametrize(
    ("url", "more", "message"),
    [
        ("http://one/", "", "begins with https://"),
        ("https://one/", "proxy = 'http://proxy:3128'", "neither proxy nor unix_socket"),
        ("https://one/", "unix_socket = '/run/one.sock'", "neither proxy nor unix_socket"),
    ],
)
def test_a_config_that_cannot_work_is_refused(tmp_path: Path, url: str, more: str, message: str) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text(FILE.format(url=url, more=more))
    with pytest.raises(ConfigError, match=message):
        load(path, {})


@pytest.mark.parametrize("version", ["2", "3"])
def test_a_libcurl_that_cannot_is_told_before_the_first_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text(FILE.format(url="https://one/", more="").replace('"3"', f'"{version}"'))
    assert load(path, {}).services
    monkeypatch.setattr(transfer.pycurl, "version_info", lambda: (11, "7.0.0", 0, "Linux", 0))
    with pytest.raises(ConfigError, match=rf'services\[0\].http.version: found "{version}", which libcurl .* without'):
        load(path, {})
