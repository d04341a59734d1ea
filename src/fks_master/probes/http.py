"""HTTP and HTTPS probes: a service's options for libcurl, and what its answer means."""

from collections.abc import Mapping
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
    Method,
    Outcome,
    Reason,
    Result,
    Service,
    Status,
)
from fks_master.probes.answer import BODY_LIMIT, Fault, decode, find_fault, inflate
from fks_master.probes.curl import CurlThread
from fks_master.probes.detail import NOTHING_SAID, Report, read_report
from fks_master.probes.resolver import Resolver
from fks_master.probes.transfer import (
    Finding,
    Route,
    failed_transfer,
    find_route,
    phases,
    read_certificate,
    set_route,
    set_tls,
    warn_of_expiry,
)
from fks_master.tracing import outgoing

EXCERPT_LENGTH = 300
MOST_REDIRECTS = 5
STOPPED = pycurl.E_WRITE_ERROR  # we read no further
USER_AGENT = f"fks_master/{__version__}"
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


class HttpProbe:
    """Asks one service at a time or thousands at once, through the same thread."""

    def __init__(self, thread: CurlThread[Finding], resolver: Resolver, clock: Clock) -> None:
        self._thread = thread
        self._resolver = resolver
        self._clock = clock
        self._certificates: dict[str, Certificate] = {}

    async def probe(self, service: Service) -> Result:
        """Try once, within the service's `timeout_seconds`, redirects included."""
        began = self._clock.monotonic()
        url = service.health_endpoint
        for _ in range(MOST_REDIRECTS + 1):
            route = await find_route(self._resolver, self._clock, service, url, began)
            if isinstance(route, Result):
                return route
            finding = await self._thread.ask(_Request(service, route, self._clock, self._certificates))
            if not finding.redirect or not service.http.follow_redirects:
                return finding.result
            url = finding.redirect
        message = f"More than {MOST_REDIRECTS} redirects"
        return msgspec.structs.replace(finding.result, outcome=Outcome.FAILURE, reason=Reason.PROTOCOL, message=message)


class _Request:
    """One request of a try, with what has been read of its answer."""

    is_reusable = True

    def __init__(self, service: Service, route: Route, clock: Clock, certificates: dict[str, Certificate]) -> None:
        self._service = service
        self._route = route
        self._certificates = certificates
        self._is_at_home = is_same_host(route.url, service.health_endpoint)
        self._is_https = route.url.lower().startswith("https:")
        self._clock = clock
        self._body = bytearray()
        self._traceparent = outgoing()

    @property
    def timeout_seconds(self) -> float:
        return self._service.timeout_seconds

    def begin(self, curl: Any) -> None:  # noqa: ANN401 - pycurl has no types
        set_route(curl, self._service, self._route)
        curl.setopt(pycurl.USERAGENT, USER_AGENT)
        curl.setopt(pycurl.WRITEFUNCTION, self._read)
        self._set_http(curl, self._service.http)
        if self._is_https:
            set_tls(curl, self._service.tls, is_at_home=self._is_at_home)

    def _read(self, chunk: bytes) -> int:
        self._body += chunk[: BODY_LIMIT - len(self._body)]
        return len(chunk) if len(self._body) < BODY_LIMIT else 0

    def _set_http(self, curl: Any, http: HttpOptions) -> None:  # noqa: ANN401 - pycurl has no types
        if self._is_at_home:
            _set_method(curl, http)
        curl.setopt(pycurl.PROXY, http.proxy or "")
        if not http.reuse_connection:
            curl.setopt(pycurl.FRESH_CONNECT, 1)
            curl.setopt(pycurl.FORBID_REUSE, 1)
        if http.unix_socket:
            curl.setopt(pycurl.UNIX_SOCKET_PATH, http.unix_socket)
        if http.version is HttpVersion.HTTP_2 and not self._is_https:
            curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE)
        elif http.version in VERSIONS:
            curl.setopt(pycurl.HTTP_VERSION, VERSIONS[http.version])
        if (http.headers or self._traceparent) and self._is_at_home:
            curl.setopt(pycurl.HTTPHEADER, _header_lines(http.headers, self._traceparent))

    def end(self, curl: Any, code: int, *, was_paused: bool) -> Finding:  # noqa: ANN401 - pycurl has no types
        body = inflate(bytes(self._body))
        result = Result(
            self._service.id,
            Outcome.SUCCESS,
            self._clock.now(),
            self._route.spent_seconds + curl.getinfo(pycurl.TOTAL_TIME),
            status_code=curl.getinfo(pycurl.RESPONSE_CODE) or None,
            phases=phases(curl, self._route.dns_seconds),
            certificate=self._certificate(curl) if self._is_https else None,
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

    def _certificate(self, curl: Any) -> Certificate | None:  # noqa: ANN401 - pycurl has no types
        """Read the certificate; a connection in use again shows none, so the one seen when it was made holds."""
        found = read_certificate(curl)
        if not self._service.http.reuse_connection:
            return found
        if found:
            self._certificates[self._route.url] = found
        return self._certificates.get(self._route.url)

    def _report(self, result: Result, body: bytes) -> Report:
        return read_report(body) if self._service.detailed and result.status_code else NOTHING_SAID

    def _fault(self, curl: Any, code: int, result: Result, body: bytes) -> Fault | None:  # noqa: ANN401
        is_enough = code == STOPPED and len(self._body) >= BODY_LIMIT
        if code and not is_enough:
            return failed_transfer(curl, code, self._service)
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


def is_same_host(url: str, other: str) -> bool:
    """Whether what is meant for one address may be sent to the other: never over to another host, port or scheme."""
    if url == other:
        return True
    left, right = urlsplit(url), urlsplit(other)
    return (left.scheme, left.hostname, left.port) == (right.scheme, right.hostname, right.port)


def _header_lines(headers: Mapping[str, str], traceparent: str | None) -> list[bytes]:
    """Write the configured headers, and that of the trace under way unless the configuration has its own."""
    lines = [f"{name}: {value}".encode("latin-1") for name, value in headers.items()]
    if traceparent and "traceparent" not in map(str.lower, headers):
        lines.append(f"traceparent: {traceparent}".encode())
    return lines


def _set_method(curl: Any, http: HttpOptions) -> None:  # noqa: ANN401 - pycurl has no types
    if http.method is Method.HEAD:
        curl.setopt(pycurl.NOBODY, 1)
    elif http.body is not None:
        curl.setopt(pycurl.POSTFIELDS, http.body.encode())
        curl.setopt(pycurl.CUSTOMREQUEST, http.method.value)
    elif http.method is not Method.GET:
        curl.setopt(pycurl.CUSTOMREQUEST, http.method.value)
