"""A request through libcurl, for all that is more than plain HTTP."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pycurl

from fks_master.clock import Clock
from fks_master.model import Certificate, HttpOptions, HttpVersion, Method, Outcome, Reason, Service
from fks_master.probes.answer import BODY_LIMIT, Fault
from fks_master.probes.judge import Finding, Seen, judge
from fks_master.probes.question import USER_AGENT
from fks_master.probes.route import Route
from fks_master.probes.transfer import failed_transfer, phases, read_certificate, set_route, set_tls
from fks_master.tracing import outgoing

STOPPED = pycurl.E_WRITE_ERROR  # we read no further
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


class CurlRequest:
    """One request of a try through libcurl, with what has been read of its answer."""

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
        seen = Seen(
            self._clock.now(),
            self._route.spent_seconds + curl.getinfo(pycurl.TOTAL_TIME),
            curl.getinfo(pycurl.RESPONSE_CODE) or None,
            phases(curl, self._route.dns_seconds),
            curl.getinfo(pycurl.PRIMARY_IP) or None,
            VERSION_NAMES.get(curl.getinfo(pycurl.INFO_HTTP_VERSION)),
            self._certificate(curl) if self._is_https else None,
        )
        if was_paused:
            return Finding(seen.result(self._service, Outcome.VOID))
        redirect = curl.getinfo(pycurl.REDIRECT_URL)
        return judge(self._service, seen, self._fault(curl, code, seen), bytes(self._body), redirect)

    def _certificate(self, curl: Any) -> Certificate | None:  # noqa: ANN401 - pycurl has no types
        """Read the certificate; a connection in use again shows none, so the one seen when it was made holds."""
        found = read_certificate(curl)
        if not self._service.http.reuse_connection:
            return found
        if found:
            self._certificates[self._route.url] = found
        return self._certificates.get(self._route.url)

    def _fault(self, curl: Any, code: int, seen: Seen) -> Fault | None:  # noqa: ANN401 - pycurl has no types
        is_enough = code == STOPPED and len(self._body) >= BODY_LIMIT
        if code and not is_enough:
            return failed_transfer(curl, code, self._service)
        wanted = self._service.http.version
        if wanted is not HttpVersion.AUTO and seen.http_version != wanted.value:
            return Fault(Reason.PROTOCOL, f"Answered in HTTP/{seen.http_version}, expected HTTP/{wanted.value}")
        return None


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
