"""Who may open what: exact Origin and Host rules.

A page of another origin may not open `/ws` or change anything unless it is listed; and in open mode a name that an
attacker could point at us (DNS rebinding) is refused.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

import msgspec
from starlette.requests import HTTPConnection

from fks_master.api.headers import header
from fks_master.model import Service, ServiceType


class Refusal(msgspec.Struct, frozen=True):
    """Why a request is refused, as an HTTP status and a sentence."""

    status: int
    reason: str


class Guard:
    """Decides about one connection from its headers alone."""

    def __init__(
        self, allowed_origins: Sequence[str] = (), allowed_hosts: Sequence[str] = (), *, is_open: bool = True
    ) -> None:
        self.allow(allowed_origins, allowed_hosts)
        self.is_open = is_open

    def allow(self, origins: Iterable[str], hosts: Iterable[str]) -> None:
        """Replace the origins that may open `/ws` and change things, and the names under which we are known."""
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)
        self._hosts = frozenset(host.lower() for host in hosts)

    def refuses(self, connection: HTTPConnection) -> Refusal | None:
        host = header(connection, b"host") or ""
        origin = header(connection, b"origin")
        if origin is not None and not self._is_known_origin(origin, connection, host):
            return Refusal(403, "this origin may not do that; list it in [server] allowed_origins")
        if self.is_open and not self._is_known_host(host):
            return Refusal(421, "this Host name is not known; list it in [server] allowed_hosts")
        return None

    def knows_origin(self, connection: HTTPConnection) -> bool:
        """Whether a request comes from a page of a listed origin."""
        origin = header(connection, b"origin")
        return origin is not None and origin.lower() in self._origins

    def _is_known_origin(self, origin: str, connection: HTTPConnection, host: str) -> bool:
        scheme = {"ws": "http", "wss": "https"}.get(connection.url.scheme, connection.url.scheme)
        return origin.lower() == f"{scheme}://{host}".lower() or origin.lower() in self._origins

    def _is_known_host(self, host: str) -> bool:
        name = _without_port(host).lower().rstrip(".")
        if name in self._hosts or (name and "." not in name and ":" not in name) or name.endswith(".local"):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def origins_of(services: Iterable[Service]) -> Iterator[str]:
    """Give the origins of the services of type Web: where they are checked, and on this machine at the same port."""
    for service in services:
        url = urlsplit(service.health_endpoint)
        if service.service_type is ServiceType.WEB and url.scheme in {"http", "https"} and url.hostname:
            host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
            port = f":{url.port}" if url.port else ""
            yield from (f"{url.scheme}://{name}{port}" for name in (host, "localhost"))


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host
