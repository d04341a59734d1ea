"""HTTP and HTTPS probes: a service's options for libcurl, and what its answer means."""

import errno
import functools
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pycurl

from fks_master import __version__
from fks_master.clock import Clock
from fks_master.model import (
    Certificate,
    HttpOptions,
    HttpVersion,
    IpFamily,
    Method,
    Outcome,
    Phases,
    Reason,
    Result,
    Service,
    Status,
    TlsOptions,
)
from fks_master.probes.answer import BODY_LIMIT, Fault, decode, find_fault, inflate
from fks_master.probes.curl import CurlThread
from fks_master.probes.detail import NOTHING_SAID, Report, read_report

EXCERPT_LENGTH = 300
MOST_REDIRECTS = 5
STOPPED = pycurl.E_WRITE_ERROR  # we read no further
USER_AGENT = f"fks_master/{__version__}"
CA_FILES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
REASONS = {
    pycurl.E_COULDNT_RESOLVE_HOST: Reason.DNS,
    pycurl.E_COULDNT_RESOLVE_PROXY: Reason.DNS,
    pycurl.E_COULDNT_CONNECT: Reason.REFUSED,
    pycurl.E_OPERATION_TIMEDOUT: Reason.TIMEOUT,
    pycurl.E_RECV_ERROR: Reason.RESET,
    pycurl.E_SEND_ERROR: Reason.RESET,
    pycurl.E_GOT_NOTHING: Reason.RESET,
    pycurl.E_PARTIAL_FILE: Reason.RESET,
    pycurl.E_SSL_CONNECT_ERROR: Reason.TLS,
    pycurl.E_PEER_FAILED_VERIFICATION: Reason.TLS,
    pycurl.E_SSL_CERTPROBLEM: Reason.TLS,
    pycurl.E_SSL_CACERT_BADFILE: Reason.TLS,
    pycurl.E_SSL_CIPHER: Reason.TLS,
}
WORDS = {
    Reason.DNS: "The name does not resolve",
    Reason.REFUSED: "Connection refused",
    Reason.RESET: "The connection was closed before the answer was complete",
}
VERSIONS = {
    HttpVersion.HTTP_1_1: pycurl.CURL_HTTP_VERSION_1_1,
    HttpVersion.HTTP_2: pycurl.CURL_HTTP_VERSION_2_0,
    HttpVersion.HTTP_3: pycurl.CURL_HTTP_VERSION_3ONLY,
}
VERSION_NAMES = {
    pycurl.CURL_HTTP_VERSION_1_0: "1.0",
    pycurl.CURL_HTTP_VERSION_1_1: "1.1",
    pycurl.CURL_HTTP_VERSION_2_0: "2",
    pycurl.CURL_HTTP_VERSION_3: "3",
}
MOMENTS = (
    pycurl.NAMELOOKUP_TIME,
    pycurl.CONNECT_TIME,
    pycurl.APPCONNECT_TIME,
    pycurl.STARTTRANSFER_TIME,
    pycurl.TOTAL_TIME,
)
REFUSALS = {0, errno.ECONNREFUSED, errno.ENOENT}
FAMILIES = {IpFamily.IPV4: pycurl.IPRESOLVE_V4, IpFamily.IPV6: pycurl.IPRESOLVE_V6}


class Finding(msgspec.Struct, frozen=True):
    """A result, and where the server sent us on to."""

    result: Result
    redirect: str | None = None


class HttpProbe:
    """Asks one service at a time or thousands at once, through the same thread."""

    def __init__(self, thread: CurlThread[Finding], clock: Clock) -> None:
        self._thread = thread
        self._clock = clock

    async def probe(self, service: Service) -> Result:
        """Try once, within the service's `timeout_seconds`, redirects included."""
        began = self._clock.monotonic()
        url = service.health_endpoint
        for _ in range(MOST_REDIRECTS + 1):
            spent = self._clock.monotonic() - began
            finding = await self._thread.ask(_Request(service, url, spent, self._clock))
            if not finding.redirect or not service.http.follow_redirects:
                return finding.result
            url = finding.redirect
        message = f"More than {MOST_REDIRECTS} redirects"
        return msgspec.structs.replace(finding.result, outcome=Outcome.FAILURE, reason=Reason.PROTOCOL, message=message)


class _Request:
    """One request of a try, with what has been read of its answer."""

    def __init__(self, service: Service, url: str, spent_seconds: float, clock: Clock) -> None:
        self._service = service
        self._url = url
        self._spent = spent_seconds
        self._clock = clock
        self._body = bytearray()

    def begin(self, curl: Any) -> None:  # noqa: ANN401 - pycurl has no types
        milliseconds = int((self._service.timeout_seconds - self._spent) * 1000)
        curl.setopt(pycurl.URL, self._url)
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.TIMEOUT_MS, max(1, milliseconds))
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, milliseconds))
        curl.setopt(pycurl.USERAGENT, USER_AGENT)
        curl.setopt(pycurl.WRITEFUNCTION, self._read)
        if self._service.ip_family in FAMILIES:
            curl.setopt(pycurl.IPRESOLVE, FAMILIES[self._service.ip_family])
        self._set_http(curl, self._service.http)
        if self._url.startswith("https"):
            _set_tls(curl, self._service.tls)

    def _read(self, chunk: bytes) -> int:
        self._body += chunk[: BODY_LIMIT - len(self._body)]
        return len(chunk) if len(self._body) < BODY_LIMIT else 0

    def _set_http(self, curl: Any, http: HttpOptions) -> None:  # noqa: ANN401 - pycurl has no types
        _set_method(curl, http)
        curl.setopt(pycurl.PROXY, http.proxy or "")
        if not http.reuse_connection:
            curl.setopt(pycurl.FRESH_CONNECT, 1)
            curl.setopt(pycurl.FORBID_REUSE, 1)
        if http.unix_socket:
            curl.setopt(pycurl.UNIX_SOCKET_PATH, http.unix_socket)
        if http.version is HttpVersion.HTTP_2 and self._url.startswith("http:"):
            curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE)
        elif http.version in VERSIONS:
            curl.setopt(pycurl.HTTP_VERSION, VERSIONS[http.version])
        headers = http.headers if is_same_host(self._url, self._service.health_endpoint) else {}
        if headers:
            curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}".encode("latin-1") for name, value in headers.items()])

    def end(self, curl: Any, code: int, *, was_paused: bool) -> Finding:  # noqa: ANN401 - pycurl has no types
        body = inflate(bytes(self._body))
        certificate = read_certificate(curl) if self._url.startswith("https") else None
        result = Result(
            self._service.id,
            Outcome.SUCCESS,
            self._clock.now(),
            self._spent + curl.getinfo(pycurl.TOTAL_TIME),
            status_code=curl.getinfo(pycurl.RESPONSE_CODE) or None,
            phases=phases(curl),
            certificate=certificate,
            remote=curl.getinfo(pycurl.PRIMARY_IP) or None,
            http_version=VERSION_NAMES.get(curl.getinfo(pycurl.INFO_HTTP_VERSION)),
        )
        if was_paused:
            return Finding(msgspec.structs.replace(result, outcome=Outcome.VOID))
        fault = self._fault(curl, code, result, body)
        report = self._report(result, body)
        if fault is None:
            return Finding(warn_of_expiry(with_report(result, report), self._service.tls))
        failed = with_fault(result, fault, report, decode(body[:EXCERPT_LENGTH]))
        return Finding(failed, curl.getinfo(pycurl.REDIRECT_URL) if fault.reason is Reason.STATUS else None)

    def _report(self, result: Result, body: bytes) -> Report:
        return read_report(body) if self._service.detailed and result.status_code else NOTHING_SAID

    def _fault(self, curl: Any, code: int, result: Result, body: bytes) -> Fault | None:  # noqa: ANN401
        is_enough = code == STOPPED and len(self._body) >= BODY_LIMIT
        if code and not is_enough:
            return _failed_transfer(curl, code, self._service)
        wanted = self._service.http.version
        if wanted is not HttpVersion.AUTO and result.http_version != wanted.value:
            return Fault(Reason.PROTOCOL, f"Answered in HTTP/{result.http_version}, expected HTTP/{wanted.value}")
        return find_fault(self._service.http, result.status_code or 0, body)


def with_report(result: Result, report: Report) -> Result:
    """Let a good answer's own words decide between Healthy, Degraded and Unhealthy."""
    if report.status is Status.UNHEALTHY:
        return with_fault(result, Fault(Reason.REPORTED, report.message or "The service says so"), report)
    if report.status is None and not report.components:
        return result
    is_degraded = report.status is Status.DEGRADED
    return msgspec.structs.replace(
        result,
        degraded=is_degraded,
        message=(report.message or "The service says so") if is_degraded else None,
        components=report.components,
    )


def with_fault(result: Result, fault: Fault, report: Report, excerpt: str = "") -> Result:
    words = fault.message
    if fault.reason is Reason.STATUS and report.message:
        words = f"{fault.message}: {report.message}"
    return msgspec.structs.replace(
        result,
        outcome=Outcome.FAILURE,
        reason=fault.reason,
        message=words,
        excerpt=excerpt or None,
        components=report.components,
    )


def warn_of_expiry(result: Result, tls: TlsOptions) -> Result:
    """Turn a good result into a degraded one when the certificate is about to expire."""
    certificate = result.certificate
    if (
        certificate is None
        or result.outcome is not Outcome.SUCCESS
        or not certificate.is_expiring(result.at, tls.warn_days)
    ):
        return result
    days = certificate.days_left(result.at)
    words = f"The certificate expires in {days:.1f} days" if days >= 0 else "The certificate has expired"
    return msgspec.structs.replace(result, degraded=True, message=words)


def is_same_host(url: str, other: str) -> bool:
    """Whether what is meant for one address may be sent to the other: never over to another host, port or scheme."""
    left, right = urlsplit(url), urlsplit(other)
    return (left.scheme, left.hostname, left.port) == (right.scheme, right.hostname, right.port)


def _failed_transfer(curl: Any, code: int, service: Service) -> Fault:  # noqa: ANN401 - pycurl has no types
    reason = REASONS.get(code, Reason.PROTOCOL)
    if reason is Reason.TIMEOUT:
        return Fault(reason, f"No answer within {service.timeout_seconds:g} s")
    if reason is Reason.REFUSED and curl.getinfo(pycurl.OS_ERRNO) not in REFUSALS:
        return Fault(Reason.UNREACHABLE, curl.errstr() or "The address cannot be reached")
    return Fault(reason, WORDS.get(reason) or curl.errstr() or f"libcurl error {code}")


def _set_method(curl: Any, http: HttpOptions) -> None:  # noqa: ANN401 - pycurl has no types
    if http.method is Method.HEAD:
        curl.setopt(pycurl.NOBODY, 1)
    elif http.body is not None:
        curl.setopt(pycurl.POSTFIELDS, http.body.encode())
        curl.setopt(pycurl.CUSTOMREQUEST, http.method.value)
    elif http.method is not Method.GET:
        curl.setopt(pycurl.CUSTOMREQUEST, http.method.value)


def _set_tls(curl: Any, tls: TlsOptions) -> None:  # noqa: ANN401 - pycurl has no types
    curl.setopt(pycurl.OPT_CERTINFO, 1)
    if not tls.verify:
        curl.setopt(pycurl.SSL_VERIFYPEER, 0)
        curl.setopt(pycurl.SSL_VERIFYHOST, 0)
    authorities = tls.ca or ca_file()
    if authorities:
        curl.setopt(pycurl.CAINFO, authorities)
    if tls.certificate:
        curl.setopt(pycurl.SSLCERT, tls.certificate)
        curl.setopt(pycurl.SSLKEY, tls.key or tls.certificate)


@functools.cache
def ca_file() -> str | None:
    """Find the machine's certificate authorities: a libcurl from a wheel does not know where they are."""
    candidates = (ssl.get_default_verify_paths().cafile, *CA_FILES)
    return next((file for file in candidates if file and Path(file).is_file()), None)


def read_certificate(curl: Any) -> Certificate | None:  # noqa: ANN401 - pycurl has no types
    """Read the server's own certificate; None on a connection that was used before, which shows none."""
    chain = curl.getinfo(pycurl.INFO_CERTINFO)
    if not chain:
        return None
    fields = dict(entry for entry in chain[0] if len(entry) == 2)
    try:
        begins, expires = (_moment(fields[name]) for name in ("Start date", "Expire date"))
    except (KeyError, ValueError):
        return None
    return Certificate(fields.get("Subject", ""), fields.get("Issuer", ""), begins, expires)


def _moment(text: str) -> datetime:
    return datetime.strptime(text.removesuffix(" GMT"), "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)


def phases(curl: Any) -> Phases:  # noqa: ANN401 - pycurl has no types
    """Turn libcurl's moments since the start into durations."""
    dns, connect, tls, first, total = (curl.getinfo(what) for what in MOMENTS)
    ready = max(connect, tls)
    return Phases(
        dns, max(0.0, connect - dns), max(0.0, tls - connect), max(0.0, first - ready), max(0.0, total - first)
    )
