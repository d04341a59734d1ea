import asyncio
import gzip
import ssl
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.servers import Recorder, answer, listening, make_certificate, quietly, service

from fks_master.clock import SystemClock
from fks_master.model import (
    HttpOptions,
    HttpVersion,
    IpFamily,
    Method,
    Outcome,
    Reason,
    Result,
    TlsOptions,
)
from fks_master.probes.prober import Prober


async def ask(prober: Prober, server: Recorder, **http: object) -> Result:
    async with listening(server.handle) as port:
        return await prober.probe(service(port, http=HttpOptions(**http)))  # type: ignore[arg-type]


async def test_the_request_is_made_as_configured(prober: Prober) -> None:
    server = Recorder()
    headers = {"Authorization": "Bearer secret", "X-Empty-Not": "1"}
    result = await ask(prober, server, method=Method.POST, headers=headers, body='{"deep": true}')
    assert result.outcome is Outcome.SUCCESS
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /health HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer secret\r\n" in head
    assert b"\r\nUser-Agent: fks_master/" in head
    assert body == b'{"deep": true}'


@pytest.mark.parametrize("method", [Method.HEAD, Method.PUT, Method.DELETE, Method.OPTIONS])
async def test_every_method_is_sent(prober: Prober, method: Method) -> None:
    server = Recorder(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    assert (await ask(prober, server, method=method)).status_code == 204
    assert server.requests[0].startswith(f"{method} ".encode())


@pytest.mark.parametrize(
    ("status", "expected", "is_good"),
    [
        ("200 OK", ("200-299",), True),
        ("401 Unauthorized", ("200-299", "401"), True),
        ("404 Not Found", ("2xx", "3xx"), False),
        ("503 Service Unavailable", ("500-599",), True),
    ],
)
async def test_the_status_must_be_among_those_expected(
    prober: Prober, status: str, expected: tuple[str, ...], is_good: bool
) -> None:
    result = await ask(prober, Recorder(answer(status)), expected_status=expected)
    assert (result.outcome is Outcome.SUCCESS) is is_good
    assert result.reason is (None if is_good else Reason.STATUS)


BODY = b'{"status": "ok", "queue": {"depth": 12, "names": ["a", "b"]}, "ready": true, "odd.key": null}'


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"contains": ("ok",)}, None),
        ({"contains": ("ok", "fine")}, 'The body does not contain "fine"'),
        ({"excludes": ("queue",)}, 'The body contains "queue"'),
        ({"matches": (r'"depth": \d+',)}, None),
        ({"matches": (r"^ok$",)}, 'The body does not match "^ok$"'),
        ({"json": {"status": "ok", "queue.depth": "< 100", "$.queue.names[1]": "b", "ready": "true"}}, None),
        ({"json": {"['odd.key']": "null", "queue": "exists", "status": "~ ^o", "queue.depth": "12"}}, None),
        ({"json": {"queue.depth": "> 100"}}, '"queue.depth" is 12, expected > 100'),
        ({"json": {"status": "!= ok"}}, '"status" is ok, expected != ok'),
        ({"json": {"queue.names[2]": "exists"}}, 'The body has nothing at "queue.names[2]"'),
    ],
)
async def test_the_body_must_be_as_configured(prober: Prober, options: dict[str, object], message: str | None) -> None:
    result = await ask(prober, Recorder(answer(body=BODY)), **options)
    assert result.message == message
    assert result.reason is (Reason.BODY if message else None)


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 60_000, b'{"a": NaN}', b""])
async def test_a_body_that_is_not_json_fails_where_json_is_expected(prober: Prober, body: bytes) -> None:
    result = await ask(prober, Recorder(answer(body=body)), json={"a": "1"})
    assert (result.reason, result.message) == (Reason.BODY, "The body is not JSON")


async def test_a_failed_check_keeps_the_beginning_of_the_body(prober: Prober) -> None:
    result = await ask(prober, Recorder(answer("500 Internal Server Error", b"no database" + b"!" * 5000)))
    assert result.excerpt is not None
    assert result.excerpt.startswith("no database!")
    assert len(result.excerpt) == 300


async def test_a_redirect_is_not_followed_unless_asked(prober: Prober) -> None:
    target = Recorder(answer(body=b"there"))
    async with listening(target.handle) as port:
        moved = Recorder(answer("302 Found", b"", f"Location: http://127.0.0.1:{port}/health"))
        result = await ask(prober, moved)
        assert (result.reason, result.status_code) == (Reason.STATUS, 302)
        assert target.requests == []
        secret: dict[str, Any] = {"method": Method.POST, "body": "secret", "headers": {"X-Token": "secret"}}
        result = await ask(prober, moved, follow_redirects=True, contains=("there",), **secret)
    assert result.outcome is Outcome.SUCCESS
    assert moved.requests[1].count(b"secret") == 2
    assert target.requests[0].startswith(b"GET ")
    assert b"secret" not in target.requests[0]


async def test_redirects_in_a_circle_end(prober: Prober) -> None:
    moved = Recorder(answer("302 Found", b"", "Location: /health"))
    result = await ask(prober, moved, follow_redirects=True)
    assert (result.outcome, result.message) == (Outcome.FAILURE, "More than 5 redirects")


async def test_a_redirect_to_a_file_is_refused(prober: Prober) -> None:
    result = await ask(
        prober, Recorder(answer("302 Found", b"", "Location: file:///etc/passwd")), follow_redirects=True
    )
    assert result.reason is Reason.PROTOCOL


@pytest.mark.parametrize(
    "where",
    [
        "http://[bad/",
        "http://a:999999/",
        "http://127.0.0.1:x/",
        "http://",
        "//",
        "http://%zz:x/",
        "http://\xff\xfe/",
        "\x01",
        "?" * 9000,
    ],
)
async def test_a_redirect_to_nowhere_is_a_fault_of_the_target_and_not_of_ours(prober: Prober, where: str) -> None:
    reply = answer("302 Found", b"", f"Location: {where}".encode().decode("latin-1"))
    result = await ask(prober, Recorder(reply), follow_redirects=True)
    assert result.outcome is Outcome.FAILURE
    assert result.reason is not Reason.INTERNAL


@pytest.mark.parametrize(("reuse", "connections"), [(False, 3), (True, 1)])
async def test_each_check_opens_its_own_connection_unless_reuse_is_wanted(
    prober: Prober, reuse: bool, connections: int
) -> None:
    server = Recorder(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", keep_open=True)
    async with listening(server.handle) as port:
        for _ in range(3):
            result = await prober.probe(service(port, http=HttpOptions(reuse_connection=reuse)))
            assert result.outcome is Outcome.SUCCESS
    assert server.connections == connections


async def test_a_proxy_is_asked_for_the_service(prober: Prober) -> None:
    proxy = Recorder()
    async with listening(proxy.handle) as port:
        options = HttpOptions(proxy=f"http://127.0.0.1:{port}")
        result = await prober.probe(service("http://no.such.host.invalid/health", http=options))
    assert result.outcome is Outcome.SUCCESS
    assert proxy.requests[0].startswith(b"GET http://no.such.host.invalid/health HTTP/1.1\r\n")


async def test_the_environment_names_no_proxy(prober: Prober, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert (await ask(prober, Recorder())).outcome is Outcome.SUCCESS


async def test_a_unix_socket_is_asked(prober: Prober, tmp_path: Path) -> None:
    server = Recorder()
    path = tmp_path / "service.sock"
    listener = await asyncio.start_unix_server(quietly(server.handle), path)
    result = await prober.probe(service("http://app/health", http=HttpOptions(unix_socket=str(path))))
    listener.close()
    assert result.outcome is Outcome.SUCCESS
    assert b"\r\nHost: app\r\n" in server.requests[0]


@pytest.mark.parametrize(("listens", "reason"), [(False, Reason.REFUSED), (True, Reason.TIMEOUT)])
async def test_a_unix_socket_that_nobody_serves_is_told_apart_from_a_silent_one(
    prober: Prober, tmp_path: Path, listens: bool, reason: Reason
) -> None:
    path = tmp_path / "service.sock"
    options = HttpOptions(unix_socket=str(path))
    listener = await asyncio.start_unix_server(quietly(Recorder(None).handle), path) if listens else None
    result = await prober.probe(service("http://app/health", http=options, timeout_seconds=0.3))
    if listener:
        listener.close()
    assert result.reason is reason


async def test_a_unix_socket_may_be_encrypted(prober: Prober, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, name="DNS:app")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    path = tmp_path / "service.sock"
    listener = await asyncio.start_unix_server(quietly(Recorder().handle), path, ssl=context)
    asked = service("https://app/", http=HttpOptions(unix_socket=str(path)), tls=TlsOptions(ca=str(certificate)))
    result = await prober.probe(asked)
    listener.close()
    assert (result.outcome, result.status_code) == (Outcome.SUCCESS, 200)


async def test_an_ip_family_that_the_name_lacks_fails(prober: Prober) -> None:
    async with listening(Recorder().handle) as port:
        found = await prober.probe(service(f"http://localhost:{port}/", ip_family=IpFamily.IPV4))
        missed = await prober.probe(service(f"http://localhost:{port}/", ip_family=IpFamily.IPV6))
    assert (found.outcome, missed.outcome) == (Outcome.SUCCESS, Outcome.FAILURE)


@pytest.mark.parametrize("version", [HttpVersion.HTTP_1_1, HttpVersion.HTTP_2])
async def test_a_demanded_version_of_http_is_demanded(prober: Prober, version: HttpVersion) -> None:
    result = await ask(prober, Recorder(), version=version)
    assert (result.outcome is Outcome.SUCCESS) is (version is HttpVersion.HTTP_1_1)


async def speak_http_2(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the first request with the shortest answer there is: one HEADERS frame that says :status 200."""
    assert (await reader.readexactly(24)).startswith(b"PRI * HTTP/2.0")
    writer.write(b"\0\0\0\4\0" + bytes(4))
    while True:
        head = await reader.readexactly(9)
        await reader.readexactly(int.from_bytes(head[:3], "big"))
        if head[3] == 1:
            writer.write(b"\0\0\1\1\5" + head[5:9] + b"\x88")


async def test_http_2_is_spoken_where_it_is_demanded(prober: Prober) -> None:
    async with listening(speak_http_2) as port:
        result = await prober.probe(service(port, http=HttpOptions(version=HttpVersion.HTTP_2)))
    assert (result.outcome, result.http_version, result.status_code) == (Outcome.SUCCESS, "2", 200)


async def test_an_unasked_compressed_body_is_unpacked_up_to_the_limit(prober: Prober) -> None:
    packed = gzip.compress(b'{"status": "ok"}')
    reply = answer("200 OK", packed, "Content-Encoding: gzip")
    assert (await ask(prober, Recorder(reply), json={"status": "ok"})).outcome is Outcome.SUCCESS


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b"", Reason.RESET),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", Reason.RESET),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Reason.PROTOCOL),
    ],
)
async def test_an_answer_that_is_none_is_told_apart(prober: Prober, reply: bytes, reason: Reason) -> None:
    assert (await ask(prober, Recorder(reply))).reason is reason


async def test_silence_ends_at_the_timeout(prober: Prober) -> None:
    async with listening(Recorder(None).handle) as port:
        result = await prober.probe(service(port, timeout_seconds=0.3))
    assert (result.reason, result.message) == (Reason.TIMEOUT, "No answer within 0.3 s")


class TestTls:
    """One server with a certificate of its own, asked in several ways."""

    @staticmethod
    async def ask(prober: Prober, folder: Path, days: int = 90, **tls: object) -> Result:
        certificate, key = make_certificate(folder, days)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        if tls.get("ca") is True:
            tls["ca"] = str(certificate)
        async with listening(Recorder().handle, ssl=context) as port:
            return await prober.probe(service(f"https://127.0.0.1:{port}/", tls=TlsOptions(**tls)))  # type: ignore[arg-type]

    async def test_an_unknown_authority_is_a_fault(self, prober: Prober, tmp_path: Path) -> None:
        assert (await self.ask(prober, tmp_path)).reason is Reason.TLS

    async def test_a_known_one_is_good_and_its_days_are_counted(self, prober: Prober, tmp_path: Path) -> None:
        result = await self.ask(prober, tmp_path, ca=True)
        assert (result.outcome, result.degraded) == (Outcome.SUCCESS, False)
        assert result.certificate is not None
        assert 89 < result.certificate.days_left(result.at) < 91
        assert "test" in result.certificate.subject

    async def test_verification_can_be_left_out(self, prober: Prober, tmp_path: Path) -> None:
        assert (await self.ask(prober, tmp_path, verify=False)).outcome is Outcome.SUCCESS

    @pytest.mark.parametrize(
        ("days", "passed", "message"),
        [
            (90, 70, None),
            (90, 80, "The certificate expires in 10.0 days"),
            (6, 3, None),
            (6, 7, "The certificate has expired"),
        ],
    )
    async def test_a_certificate_near_its_end_makes_degraded(
        self, tmp_path: Path, days: int, passed: int, message: str | None
    ) -> None:
        class Later(SystemClock):
            def now(self) -> datetime:
                return super().now() + timedelta(days=passed)

        prober = Prober(Later())
        prober.start()
        result = await self.ask(prober, tmp_path, days, ca=True)
        await prober.close()
        assert (result.degraded, result.message) == (message is not None, message)

    async def test_a_reused_connection_keeps_its_certificate(self, prober: Prober, tmp_path: Path) -> None:
        certificate, key = make_certificate(tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server = Recorder(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", keep_open=True)
        async with listening(server.handle, ssl=context) as port:
            tls, http = TlsOptions(ca=str(certificate)), HttpOptions(reuse_connection=True)
            one = service(f"https://127.0.0.1:{port}/", tls=tls, http=http)
            first, second = [await prober.probe(one) for _ in range(2)]
        assert server.connections == 1
        assert first.certificate is not None
        assert first.certificate == second.certificate

    async def test_a_client_certificate_is_shown(self, prober: Prober, tmp_path: Path) -> None:
        certificate, key = make_certificate(tmp_path)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificate)
        context.load_cert_chain(certificate, key)
        context.verify_mode = ssl.CERT_REQUIRED
        async with listening(Recorder().handle, ssl=context) as port:
            ours = TlsOptions(ca=str(certificate), certificate=str(certificate), key=str(key))
            shown = await prober.probe(service(f"https://127.0.0.1:{port}/", tls=ours))
            without = await prober.probe(service(f"https://127.0.0.1:{port}/", tls=TlsOptions(ca=str(certificate))))
        assert shown.outcome is Outcome.SUCCESS
        assert without.outcome is Outcome.FAILURE


async def test_a_request_that_cannot_be_made_is_an_error_of_its_own(prober: Prober) -> None:
    with pytest.raises(UnicodeEncodeError):
        await prober.probe(service(1, http=HttpOptions(headers={"X": "☃"})))
    assert (await ask(prober, Recorder())).outcome is Outcome.SUCCESS


async def test_a_scheme_that_nobody_knows_is_said(prober: Prober) -> None:
    result = await prober.probe(service("gopher://127.0.0.1/"))
    assert (result.reason, result.message) == (Reason.INTERNAL, "No probe knows gopher://")


async def test_more_than_a_thousand_checks_at_once_are_all_answered(prober: Prober) -> None:
    async with listening(Recorder().handle, backlog=4096) as port:
        results = await asyncio.gather(*(prober.probe(service(port, timeout_seconds=30.0)) for _ in range(1500)))
    assert {result.outcome for result in results} == {Outcome.SUCCESS}


async def test_a_body_made_against_an_expression_holds_up_nobody(prober: Prober) -> None:
    hostile = Recorder(answer(body=b"a" * (64 * 1024 - 1) + b"!"))
    trapped = HttpOptions(matches=("^(a+)+$", "(a|aa)+$", "(.*a){20}$"))
    async with listening(hostile.handle) as port, listening(Recorder().handle) as other:
        attacked = asyncio.create_task(prober.probe(service(port, http=trapped, timeout_seconds=20.0)))
        neighbours = [await prober.probe(service(other, timeout_seconds=20.0)) for _ in range(20)]
        assert (await attacked).message == 'The body does not match "^(a+)+$"'
    assert [each.outcome for each in neighbours] == [Outcome.SUCCESS] * 20
