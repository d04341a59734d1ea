"""Whether it is we who are cut off: from the network, or from the names in it.

We are cut off when nobody elsewhere gives any answer; a status or a refusal disproves it. Names are gone when no
service that is reached by a name can be found any more, while others may answer.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec

from fks_master.model import Outcome, Reason, Service, State

NO_ANSWER = frozenset({Reason.DNS, Reason.UNREACHABLE, Reason.TIMEOUT})
NO_NAME = frozenset({Reason.DNS})
FEWEST = 3
NETWORK_SCHEMES = {"http", "https", "tcp", "tls", "dns", "icmp", "udp", "grpc", "ws", "wss"}


class Reach(msgspec.Struct, frozen=True):
    """What is known of a way to others.

    `newest_answer` is when somebody last answered, `answered` who did the last time; to ask them all again takes at
    most `asking_seconds`.
    """

    is_lost: bool = False
    newest_answer: datetime | None = None
    answered: tuple[str, ...] = ()
    asking_seconds: float = 0.0


def network(services: Mapping[str, Service], states: Mapping[str, State]) -> Reach:
    elsewhere = [one for one in services.values() if not is_here(one.health_endpoint)]
    return _reach(elsewhere, states, NO_ANSWER)


def names(services: Mapping[str, Service], states: Mapping[str, State]) -> Reach:
    named = [one for one in services.values() if is_named(one.health_endpoint)]
    return _reach(named, states, NO_NAME)


def _reach(services: Iterable[Service], states: Mapping[str, State], silent: frozenset[Reason]) -> Reach:
    seen = [(service, state.last) for service in services if (state := states[service.id]).last is not None]
    answered = [
        (service, last.at)
        for service, last in seen
        if last and not (last.outcome is Outcome.FAILURE and last.reason in silent)
    ]
    return Reach(
        len(seen) >= FEWEST and not answered,
        max((at for _, at in answered), default=None),
        tuple(service.id for service, _ in answered),
        max((service.asking_seconds for service, _ in answered), default=0.0),
    )


@lru_cache(10_000)
def is_here(endpoint: str) -> bool:
    """Whether asking it needs no network: it is on this machine, or tells us by itself."""
    if urlsplit(endpoint).scheme not in NETWORK_SCHEMES:
        return True
    host = urlsplit(endpoint).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_passive(endpoint: str) -> bool:
    """Whether it reports itself, so that nobody can ask it."""
    return endpoint.startswith("heartbeat:")


@lru_cache(10_000)
def is_named(endpoint: str) -> bool:
    """Whether a name server must be asked for it."""
    if is_here(endpoint) or urlsplit(endpoint).scheme == "dns":
        return False
    try:
        ipaddress.ip_address(urlsplit(endpoint).hostname or "")
    except ValueError:
        return True
    return False
