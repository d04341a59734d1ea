"""TLS probes: a handshake, the chain behind it, and how long it stays valid; nothing is sent afterwards."""

from typing import Any
from urllib.parse import urlsplit

import msgspec
import pycurl

from fks_master.clock import Clock
from fks_master.model import Outcome, Result, Service
from fks_master.probes.judge import Finding, expiry
from fks_master.probes.resolver import Resolver
from fks_master.probes.route import Route, bracketed, find_route
from fks_master.probes.thread import ProbeThread
from fks_master.probes.transfer import failed_transfer, phases, read_certificate, set_route, set_tls


class TlsProbe:
    """Shakes hands with one server at a time or thousands at once."""

    def __init__(self, thread: ProbeThread[Finding], resolver: Resolver, clock: Clock) -> None:
        self._thread = thread
        self._resolver = resolver
        self._clock = clock

    async def probe(self, service: Service) -> Result:
        began = self._clock.monotonic()
        parts = urlsplit(service.health_endpoint)
        url = f"https://{parts.netloc}"
        route = await find_route(self._resolver, self._clock, service, url, began)
        if isinstance(route, Result):
            return route
        return (await self._thread.ask(_Handshake(service, _under_its_name(service, route), self._clock))).result


def _under_its_name(service: Service, route: Route) -> Route:
    """Ask for the certificate of `server_name`, at the address of the endpoint."""
    name = service.tls.server_name
    if name is None:
        return route
    parts = urlsplit(route.url)
    port = parts.port or 443
    addresses = route.resolved[0].split(":", 2)[2] if route.resolved else bracketed(parts.hostname or "")
    return msgspec.structs.replace(route, url=f"https://{name}:{port}", resolved=(f"+{name}:{port}:{addresses}",))


class _Handshake:
    """One connection up to the end of its handshake."""

    is_reusable = False  # libcurl keeps such a connection open for as long as its handle lives

    def __init__(self, service: Service, route: Route, clock: Clock) -> None:
        self._service = service
        self._route = route
        self._clock = clock

    @property
    def timeout_seconds(self) -> float:
        return self._service.timeout_seconds

    def begin(self, curl: Any) -> None:  # noqa: ANN401 - pycurl has no types
        set_route(curl, self._service, self._route)
        set_tls(curl, self._service.tls)
        curl.setopt(pycurl.CONNECT_ONLY, 1)
        curl.setopt(pycurl.SSL_ENABLE_ALPN, 0)
        curl.setopt(pycurl.PROXY, "")
        curl.setopt(pycurl.FRESH_CONNECT, 1)
        curl.setopt(pycurl.FORBID_REUSE, 1)

    def end(self, curl: Any, code: int, *, was_paused: bool) -> Finding:  # noqa: ANN401 - pycurl has no types
        fault = failed_transfer(curl, code, self._service) if code else None
        at, certificate = self._clock.now(), read_certificate(curl)
        words = expiry(certificate, at, self._service.tls) if certificate and not fault else None
        result = Result(
            self._service.id,
            Outcome.VOID if was_paused else Outcome.FAILURE if fault else Outcome.SUCCESS,
            at,
            self._route.spent_seconds + curl.getinfo(pycurl.TOTAL_TIME),
            fault.reason if fault else None,
            fault.message if fault else words,
            degraded=words is not None,
            phases=phases(curl, self._route.dns_seconds),
            certificate=certificate,
            remote=curl.getinfo(pycurl.PRIMARY_IP) or None,
        )
        return Finding(result)
