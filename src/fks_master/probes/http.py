"""HTTP and HTTPS probes: who asks, and where a redirect leads."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import msgspec

from fks_master.clock import Clock
from fks_master.model import Certificate, Outcome, Phases, Reason, Result, Service
from fks_master.probes.judge import Finding, Seen, judge
from fks_master.probes.plain import Exchange, Heard, Plan
from fks_master.probes.question import PlainQuestion, plain_question
from fks_master.probes.resolver import Resolver
from fks_master.probes.route import NO_ROUTE, Route, find_route
from fks_master.probes.thread import ProbeThread
from fks_master.tracing import outgoing

if TYPE_CHECKING:
    from fks_master.probes.request import CurlRequest

MOST_QUESTIONS = 20_000
MOST_REDIRECTS = 5
LONGEST_ADDRESS = 8192


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

        plan = question.plan.traced(outgoing())
        self._thread.tell(_PlainRequest(service, plan, NO_ROUTE, self._clock), told)
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
            if not _is_address(url):
                return _led_nowhere(finding.result, "Redirected to no address")
        return _led_nowhere(finding.result, f"More than {MOST_REDIRECTS} redirects")

    def _request(self, service: Service, route: Route) -> "CurlRequest | _PlainRequest":
        """Choose the engine: ours where one address and plain HTTP are all there is to it."""
        question = self._question(service) if route.url == service.health_endpoint else None
        plan = question.plan_for(route.addresses) if question else None
        if plan is None:
            return _curl_request()(service, route, self._clock, self._certificates)
        return _PlainRequest(service, plan.traced(outgoing()), route, self._clock)

    def _question(self, service: Service) -> PlainQuestion | None:
        known = self._questions.get(service.id)
        if known is None or known[0] is not service:
            if len(self._questions) > MOST_QUESTIONS:
                self._questions.clear()
            known = self._questions[service.id] = (service, plain_question(service))
        return known[1]


@functools.cache
def _curl_request() -> "type[CurlRequest]":
    from fks_master.probes.request import CurlRequest  # noqa: PLC0415 - 6 MB that nobody pays whose checks are plain

    return CurlRequest


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


def _led_nowhere(result: Result, message: str) -> Result:
    return msgspec.structs.replace(result, outcome=Outcome.FAILURE, reason=Reason.PROTOCOL, message=message)


def _is_address(url: str) -> bool:
    """Whether what a server sends us on to can be gone to; it may have written anything."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0 and len(url) <= LONGEST_ADDRESS
    except ValueError:
        return False
