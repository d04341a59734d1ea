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

from fks_master.model import Outcome, Reason, Service, State, Status

NO_ANSWER = frozenset({Reason.DNS, Reason.UNREACHABLE, Reason.TIMEOUT})
NO_NAME = frozenset({Reason.DNS})
FEWEST = 3
NETWORK_SCHEMES = {"http", "https", "tcp", "tls", "dns", "icmp", "udp", "grpc", "ws", "wss"}


class Reach(msgspec.Struct, frozen=True):
    """What is known of a way to others. `newest_answer` is when somebody last answered, `answered` who did when."""

    is_lost: bool = False
    newest_answer: datetime | None = None
    answered: Mapping[str, datetime] = {}

    def unseen_since(self, moment: datetime) -> list[str]:
        """Name those who answered the last time, but were not asked since."""
        return [id_ for id_, at in self.answered.items() if at < moment]


def network(services: Mapping[str, Service], states: Mapping[str, State]) -> Reach:
    elsewhere = (states[id_] for id_, one in services.items() if not is_here(one.health_endpoint))
    return _reach(elsewhere, NO_ANSWER)


def names(services: Mapping[str, Service], states: Mapping[str, State]) -> Reach:
    named = (states[id_] for id_, one in services.items() if is_named(one.health_endpoint))
    return _reach(named, NO_NAME)


def _reach(states: Iterable[State], silent: frozenset[Reason]) -> Reach:
    seen = [(state, state.last) for state in states if state.last is not None]
    answered = {
        state.service_id: last.at
        for state, last in seen
        if not (state.status is Status.UNHEALTHY and last.outcome is Outcome.FAILURE and last.reason in silent)
    }
    return Reach(len(seen) >= FEWEST and not answered, max(answered.values(), default=None), answered)


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
