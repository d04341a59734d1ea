"""The waist: every result, whatever its source, comes in through `Hub.ingest`, and state is written nowhere else."""

import itertools
from collections.abc import Iterable, Mapping

import msgspec

from fks_master.events.bus import Bus
from fks_master.metrics import Metrics
from fks_master.model import Event, Policy, Result, Service, State, Transition
from fks_master.state.machine import apply


class Change(msgspec.Struct, frozen=True):
    """What one result did: the new state, the transition if there was one, and the numbered events.

    Events that are no service's own (a reload, an action) come without a state.
    """

    state: State | None
    transition: Transition | None
    events: tuple[Event, ...]


class Hub:
    """Owns the table of current states; publishes each change."""

    def __init__(self, services: Iterable[Service], policy: Policy, metrics: Metrics) -> None:
        self.bus: Bus[Change] = Bus()
        self._policy = policy
        self._metrics = metrics
        self._services = {service.id: service for service in services}
        self._states = {service_id: State(service_id) for service_id in self._services}
        self._numbers = itertools.count(1)
        for service in self._services.values():
            metrics.watch(service)

    @property
    def services(self) -> Mapping[str, Service]:
        return self._services

    @property
    def states(self) -> Mapping[str, State]:
        return self._states

    def ingest(self, result: Result) -> None:
        """Judge a result. One for a service that is no longer watched is dropped."""
        service = self._services.get(result.service_id)
        if service is None:
            return
        state, transition, events = apply(self._states[service.id], result, service, self._policy)
        self._states[service.id] = state
        self._metrics.record(service, state, result)
        self._publish(state, transition, events)

    def announce(self, event: Event) -> None:
        """Publish a fact that comes from no check: a reload, an action, a job."""
        self._publish(None, None, (event,))

    def _publish(self, state: State | None, transition: Transition | None, events: Iterable[Event]) -> None:
        numbered = tuple(msgspec.structs.replace(event, id=next(self._numbers)) for event in events)
        self.bus.publish(Change(state, transition, numbered))

    def reconfigure(self, services: Iterable[Service], policy: Policy) -> None:
        """Watch exactly these services from now on; a service that stays keeps its state."""
        self._policy = policy
        fresh = {service.id: service for service in services}
        for gone in self._services.keys() - fresh.keys():
            self._metrics.forget(self._services[gone])
            del self._states[gone]
        for service in fresh.values():
            self._metrics.watch(service)
            self._states.setdefault(service.id, State(service.id))
        self._services = fresh
