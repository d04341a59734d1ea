"""Where a request goes: names are resolved before anybody connects."""

import functools
from urllib.parse import urlsplit

import msgspec

from fks_master.clock import Clock
from fks_master.model import Outcome, Phases, Result, Service
from fks_master.probes.answer import Fault
from fks_master.probes.resolver import Resolver, is_address

PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


class Route(msgspec.Struct, frozen=True):
    """Where a request goes: its address, what the names in it resolve to, and the seconds spent up to here.

    `resolved` is for libcurl; `addresses` are those of the one name, empty where the address needs none.
    """

    url: str
    resolved: tuple[str, ...]
    addresses: tuple[str, ...] = ()
    dns_seconds: float = 0.0
    spent_seconds: float = 0.0


NO_ROUTE = Route("", ())


async def find_route(resolver: Resolver, clock: Clock, service: Service, url: str, began: float) -> Route | Result:
    """Resolve what libcurl would otherwise look up by itself; a Result when a name does not resolve."""
    asked = clock.monotonic()
    resolved = []
    addresses: tuple[str, ...] = ()
    for name, port in names_to_resolve(url, service.http.proxy, service.http.unix_socket):
        left = service.timeout_seconds - (clock.monotonic() - began)
        found = await resolver.resolve(name, service.ip_family, left)
        if isinstance(found, Fault):
            return failed(service, found, clock, clock.monotonic() - began, dns=clock.monotonic() - asked)
        addresses = found
        resolved.append(f"+{name}:{port}:{','.join(map(bracketed, found))}")
    now = clock.monotonic()
    return Route(url, tuple(resolved), addresses, now - asked if resolved else 0.0, now - began)


@functools.lru_cache(16384)
def names_to_resolve(url: str, proxy: str | None, unix_socket: str | None) -> tuple[tuple[str, int], ...]:
    """Name what libcurl has to connect to: a proxy that resolves the rest, or both, or nobody."""
    if unix_socket:
        return ()
    addresses = [url] if proxy is None else [proxy, url] if proxy.startswith("socks5:") else [proxy]
    parts = [urlsplit(address) for address in addresses]
    return tuple(
        (part.hostname, part.port or PORTS.get(part.scheme, 443))
        for part in parts
        if part.hostname and not is_address(part.hostname)
    )


def bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def failed(service: Service, fault: Fault, clock: Clock, seconds: float, *, dns: float = 0.0) -> Result:
    """Make the result of a try that did not get as far as a connection."""
    phases = Phases(dns=dns)
    return Result(service.id, Outcome.FAILURE, clock.now(), seconds, fault.reason, fault.message, phases=phases)
