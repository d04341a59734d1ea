"""What the routes and the live feed show, drawn from the hub when asked."""

import os
from collections.abc import Callable, Iterator, Mapping

from fks_master.api.lines import Lines
from fks_master.api.schemas import (
    Aggregate,
    ContainerFacts,
    ServiceChange,
    ServiceHealth,
    ServiceStatus,
    SystemMetrics,
    aggregate,
    service_change,
    service_figures,
    service_health,
    service_status,
    system_metrics,
)
from fks_master.clock import Clock
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Service, State

Containers = Callable[[str | None], ContainerFacts | None]


class View:
    """The present state in the shapes of the contract."""

    def __init__(self, hub: Hub, metrics: Metrics, clock: Clock, containers: Containers = lambda _: None) -> None:
        self._hub = hub
        self._metrics = metrics
        self._containers = containers
        self._lines = Lines(hub, clock)
        self.clock = clock

    def services(self) -> bytes:
        """Give `statuses` as JSON, quickly."""
        return self._lines.write()

    @property
    def watched(self) -> Mapping[str, Service]:
        """What is watched: another object once these are others."""
        return self._hub.services

    def statuses(self) -> list[ServiceStatus]:
        now = self.clock.now()
        states = self._hub.states
        return [service_status(service, states[service.id], now) for service in self._hub.services.values()]

    def status(self, service_id: str) -> ServiceStatus:
        return service_status(self._hub.services[service_id], self._hub.states[service_id], self.clock.now())

    def state(self, service_id: str) -> State | None:
        """Return None for a service that is not watched."""
        return self._hub.states.get(service_id)

    def change(self, service_id: str) -> ServiceChange | None:
        """Return None for a service that is no longer watched."""
        state = self._hub.states.get(service_id)
        return None if state is None else service_change(state)

    def health(self, service_id: str) -> ServiceHealth | None:
        """Return None for a service that is not watched."""
        state = self._hub.states.get(service_id)
        if state is None:
            return None
        container = self._containers(self._hub.services[service_id].docker_container)
        error_rate = self._metrics.error_rate(service_id, self.clock.now().timestamp())
        return service_health(state, service_figures(error_rate, self._metrics.usage(service_id)), container)

    def aggregate(self) -> Aggregate:
        return aggregate(self.statuses(), self.clock.now())

    def system(self, statuses: list[ServiceStatus]) -> SystemMetrics:
        return system_metrics(
            statuses, round(os.getloadavg()[0], 2), self._metrics.total_checks, self._metrics.total_failures
        )

    def prometheus(self) -> Iterator[bytes]:
        """Give the metrics in pieces, between which others may have their turn."""
        return self._metrics.slices(self.clock.monotonic(), self.clock.now().timestamp())
