"""The stages an alert passes before it is told. Each gives a reason to say nothing now, or None."""

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec

from fks_master.alerts.notice import Alert
from fks_master.alerts.silences import Silence, Window
from fks_master.model import EventType, Policy, Reason, Service, State, Status

NO_ANSWER = {Reason.DNS, Reason.UNREACHABLE, Reason.TIMEOUT}
FEWEST_FOR_ISOLATION = 3


class World(msgspec.Struct):
    """What the stages look at. `is_busy` tells whether an action of ours works on a service."""

    services: Callable[[], Mapping[str, Service]]
    states: Callable[[], Mapping[str, State]]
    policy: Policy = Policy()
    windows: tuple[Window, ...] = ()
    silences: dict[str, Silence] = {}
    is_busy: Callable[[str], bool] = lambda _: False
    _graph: tuple[Mapping[str, Service], dict[str, list[str]]] | None = None
    _looked: tuple[datetime, bool] | None = None

    def needs(self, service_id: str | None) -> Iterator[str]:
        """Give everything that a service depends on, near or far."""
        services, seen = self.services(), set[str]()
        waiting = [service_id] if service_id in services else []
        while waiting:
            for need in services[waiting.pop()].depends_on:  # type: ignore[index]
                if need in services and need not in seen:
                    seen.add(need)
                    waiting.append(need)
                    yield need

    def dependents(self, service_id: str) -> list[str]:
        """Give everything that depends on a service; the graph is turned round once a configuration."""
        services = self.services()
        if self._graph is None or self._graph[0] is not services:
            graph: dict[str, list[str]] = {}
            for other in services:
                for need in self.needs(other):
                    graph.setdefault(need, []).append(other)
            self._graph = (services, graph)
        return self._graph[1].get(service_id, [])

    def is_isolated(self, now: datetime) -> bool:
        """Whether every service elsewhere fails without any answer; a status or a refusal disproves it."""
        if self._looked is None or self._looked[0] != now:
            self._looked = (now, _is_isolated(self))
        return self._looked[1]


Stage = Callable[[Alert, World, datetime], str | None]


def bound_of(service: Service, policy: Policy) -> timedelta:
    """Give how long a state must last to be told in any case."""
    checks = service.interval_seconds * policy.failure_threshold
    return timedelta(seconds=checks + service.tries * service.timeout_seconds + 2)


def inhibited(alert: Alert, world: World, now: datetime) -> str | None:
    """Mute a service that cannot work because one that it needs does not.

    While a need is failing but not yet down, wait until it is decided; after it came up, until we looked again.
    """
    service = world.services().get(alert.service_id or "")
    if service is None or alert.notice.event_type != EventType.SERVICE_DOWN:
        return None
    for need in world.needs(service.id):
        state = world.states()[need]
        if state.is_down:
            return f"depends on {need}, which is down"
        if state.status is Status.UNHEALTHY and now < alert.began + bound_of(world.services()[need], world.policy):
            return f"depends on {need}, which fails"
        again = timedelta(seconds=service.interval_seconds + service.tries * service.timeout_seconds)
        if alert.muted and state.up_since and alert.began <= state.up_since and now < state.up_since + again:
            return f"depends on {need}, which has just come up"
    return None


def silenced(alert: Alert, world: World, now: datetime) -> str | None:
    for silence in world.silences.values():
        if silence.mutes(alert.labels, now):
            return f"silenced by {silence.author or 'someone'}: {silence.comment}"
    return None


def in_maintenance(alert: Alert, world: World, now: datetime) -> str | None:
    names = [window.name for window in world.windows if window.covers(alert.service_id, now)]
    return f"maintenance: {names[0]}" if names else None


def acted_upon(alert: Alert, world: World, _: datetime) -> str | None:
    return "an action of ours works on it" if world.is_busy(alert.service_id or "") else None


def isolated(alert: Alert, world: World, now: datetime) -> str | None:
    """Mute what nobody answered while nobody answers at all: then it is we who are cut off."""
    if alert.notice.event_type != EventType.SERVICE_DOWN or alert.notice.data.get("reason") not in NO_ANSWER:
        return None
    return "the monitor is isolated" if world.is_isolated(now) else None


def flapping(alert: Alert, world: World, now: datetime) -> str | None:
    """Damp a service that goes up and down; a state that lasts is told in any case."""
    state, service = world.states().get(alert.service_id or ""), world.services().get(alert.service_id or "")
    if state is None or service is None or not state.is_flapping:
        return None
    if alert.notice.event_type not in {EventType.SERVICE_DOWN, EventType.SERVICE_UP}:
        return None
    return "flapping" if now < alert.notice.timestamp + bound_of(service, world.policy) else None


def _is_isolated(world: World) -> bool:
    services, states = world.services(), world.states()
    seen = [states[id_] for id_, one in services.items() if not is_loopback(one.health_endpoint) and states[id_].last]
    return len(seen) >= FEWEST_FOR_ISOLATION and all(_is_unanswered(state) for state in seen)


def _is_unanswered(state: State) -> bool:
    return state.status is Status.UNHEALTHY and state.last is not None and state.last.reason in NO_ANSWER


@lru_cache(10_000)
def is_loopback(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


BEFORE_FIRING: tuple[Stage, ...] = (inhibited, isolated, silenced, in_maintenance, acted_upon, flapping)
BEFORE_RESOLVING: tuple[Stage, ...] = (flapping,)
