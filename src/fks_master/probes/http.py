"""HTTP and HTTPS probes: a service's options for libcurl, and what its answer means."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec
import pycurl

from fks_master.clock import Clock
from fks_master.model import (
    Certificate,
    HttpOptions,
    HttpVersion,
    Method,
    Outcome,
    Phases,
    Reason,
    Result,
    Service,
)
from fks_master.probes.answer import BODY_LIMIT, Fault
from fks_master.probes.judge import Finding, Seen, judge
from fks_master.probes.plain import Exchange, Heard, Plan
from fks_master.probes.question import USER_AGENT, PlainQuestion, plain_question
from fks_master.probes.resolver import Resolver
from fks_master.probes.thread import ProbeThread
from fks_master.probes.transfer import (
    NO_ROUTE,
    Route,
    failed_transfer,
    find_route,
    phases,
    read_certificate,
    set_route,
    set_tls,
)
from fks_master.tracing import outgoing

MOST_QUESTIONS = 20_000
MOST_REDIRECTS = 5
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


class HttpProbe:
    """Asks one service at a time or thousands at once, through the same thread.

    What is no more than plain HTTP goes over sockets of our own, everything else through libcurl.
    """

    def __init__(self, thread: ProbeThread[Finding], resolver: Resolver, clock: Clock) -> None:
        self._thread = thread
        self._resolver = resolver
        self._clock = clock
        self._certificates: dict[str, Certificate] = {}
        self._questions: dict[str, tuple[Service, PlainQuestion | None]] = {}

    def tell(self, service: Service, answered: Callable[[Result | Exception], None]) -> bool:
        """Try once without a task of its own, if nothing has to be looked up or followed; else return False."""
        question = self._question(service)
        if question is None or question.plan is None or service.http.follow_redirects:
            return False

        def told(finding: Finding | Exception) -> None:
            answered(finding.result if isinstance(finding, Finding) else finding)

        self._thread.tell(_PlainRequest(service, question.plan, NO_ROUTE, self._clock), told)
        return True

    async def probe(self, service: Service) -> Result:
        """Try once, within the service's `timeout_seconds`, redirects included."""
        began = self._clock.monotonic()
        url = service.health_endpoint
        for _ in range(MOST_REDIRECTS + 1):
            route = await find_route(self._resolver, self._clock, service, url, began)
            if isinstance(route, Result):
                return route
            finding = await self._thread.ask(self._request(service, route))
            if not finding.redirect or not service.http.follow_redirects:
                return finding.result
            url = finding.redirect
        message = f"More than {MOST_REDIRECTS} redirects"
        return msgspec.structs.replace(finding.result, outcome=Outcome.FAILURE, reason=Reason.PROTOCOL, message=message)

    def _request(self, service: Service, route: Route) -> "_Request | _PlainRequest":
        """Choose the engine: ours where one address and plain HTTP are all there is to it."""
        question = self._question(service) if route.url == service.health_endpoint else None
        plan = question.plan_for(route.addresses) if question else None
        if plan is None:
            return _Request(service, route, self._clock, self._certificates)
        return _PlainRequest(service, plan.traced(outgoing()), route, self._clock)

    def _question(self, service: Service) -> PlainQuestion | None:
        known = self._questions.get(service.id)
        if known is None or known[0] is not service:
            if len(self._questions) > MOST_QUESTIONS:
                self._questions.clear()
            known = self._questions[service.id] = (service, plain_question(service))
        return known[1]


class _PlainRequest(Exchange[Finding]):
    """One request of a try over a socket of ours."""

    __slots__ = ("_clock", "_route", "_service")

    def __init__(self, service: Service, plan: Plan, route: Route, clock: Clock) -> None:
        super().__init__(plan, service.timeout_seconds, service.timeout_seconds - route.spent_seconds)
        self._service = service
        self._route = route
        self._clock = clock

    def end(self, heard: Heard, *, was_paused: bool) -> Finding:
        connect, first_byte, transfer = heard.connect, heard.first_byte, heard.transfer
        seen = Seen(
            self._clock.now(),
            self._route.spent_seconds + connect + first_byte + transfer,
            heard.status or None,
            Phases(self._route.dns_seconds, connect, 0.0, first_byte, transfer),
            self.plan.address[0],
            heard.version,
        )
        if was_paused or heard.is_our_failing:
            return Finding(seen.result(self._service, Outcome.VOID, fault=heard.fault))
        return judge(self._service, seen, heard.fault, heard.body, self._redirect(heard))

    def _redirect(self, heard: Heard) -> str | None:
        if heard.location is None or not 300 <= heard.status < 400:
            return None
        try:
            return urljoin(self._service.health_endpoint, heard.location)
        except ValueError:
            return None


class _Request:
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
