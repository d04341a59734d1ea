"""The waist: every result, whatever its source, comes in through `Hub.ingest`, and state is written nowhere else."""

import itertools
from collections.abc import Callable, Iterable, Mapping

import msgspec

from fks_master.events.bus import Bus
from fks_master.metrics import Metrics
from fks_master.model import Change, Event, Policy, Result, Service, State
from fks_master.state.machine import apply
from fks_master.storage import Restored

__all__ = ["Change", "Hub"]


class Hub:
    """Owns the table of current states; publishes each change.

    `journal` is handed each change before the bus is, in the order in which they happen.
    """

    def __init__(
        self,
        services: Iterable[Service],
        policy: Policy,
        metrics: Metrics,
        journal: Callable[[Change], None] = lambda _: None,
    ) -> None:
        self._journal = journal
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
        self._publish(Change(state, transition, self._numbered(events), result))

    def announce(self, event: Event) -> None:
        """Publish a fact that comes from no check: a reload, an action, a job."""
        self._publish(Change(None, None, self._numbered([event])))

    def restore(self, remembered: Restored) -> None:
        """Go on where an earlier process stopped: each state waits to be confirmed, event numbers go on."""
        for service_id in self._states.keys() & remembered.states.keys():
            self._states[service_id] = msgspec.structs.replace(remembered.states[service_id], is_confirmed=False)
        self._numbers = itertools.count(remembered.newest + 1)

    def correct(self, states: Iterable[State]) -> None:
        """Take up what was remembered and is known only now; nobody is told."""
        for state in states:
            if state.service_id in self._states:
                self._states[state.service_id] = state

    def _publish(self, change: Change) -> None:
        self._journal(change)
        self.bus.publish(change)

    def _numbered(self, events: Iterable[Event]) -> tuple[Event, ...]:
        return tuple(msgspec.structs.replace(event, id=next(self._numbers)) for event in events)

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
