"""What the pipeline looks at: services, states, what people planned, and what we do ourselves."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from fks_master.alerts import reach
from fks_master.alerts.notice import Notice
from fks_master.alerts.reach import Reach
from fks_master.alerts.rules import Rule, is_in_force
from fks_master.alerts.silences import Silence, Window
from fks_master.alerts.works import Place, Works
from fks_master.model import Policy, Service, State

ASKED_SECONDS = 2.0


class World(msgspec.Struct):
    """`is_busy` tells whether an action of ours works on a service; `look_now` has services checked at once.

    `regained` is when a way that was lost (`network`, `names`) was found again, `came_up` when services that were down
    did; `rules` are those in force. `waiting_until` is how long what an earlier process told is waited for.
    """

    services: Callable[[], Mapping[str, Service]]
    states: Callable[[], Mapping[str, State]]
    policy: Policy = Policy()
    windows: tuple[Window, ...] = ()
    planned: dict[str, Window] = {}
    silences: dict[str, Silence] = {}
    is_busy: Callable[[str], bool] = lambda _: False
    place_of: Callable[[str], Place | None] = lambda _: None
    look_now: Callable[[Iterable[str]], None] | None = None
    works: Works = msgspec.field(default_factory=Works)
    rules: tuple[Rule, ...] = ()
    open_alerts: Callable[[str], bool] = lambda _: False
    regained: dict[str, datetime] = {}
    came_up: dict[str, datetime] = {}
    places: dict[str, Place] = {}
    waiting_until: datetime | None = None
    _graph: tuple[Mapping[str, Service], dict[str, list[str]]] | None = None
    _looked: tuple[datetime, Reach, Reach] | None = None
    _asked: dict[str, datetime] = {}
    _asked_last: tuple[datetime, Sequence[str]] | None = None

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

    def in_maintenance(self, now: datetime) -> set[str]:
        """Name the services for which maintenance is planned now, by the config or while we run."""
        lasting = [window for window in (*self.windows, *self.planned.values()) if window.is_active(now)]
        if any(not window.services for window in lasting):
            return set(self.services())
        return {service_id for window in lasting for service_id in window.services}

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

    def ways(self, now: datetime) -> tuple[Reach, Reach]:
        """Give what is known of the network, and of the names in it; looked at once a moment."""
        if self._looked is None or self._looked[0] != now:
            services, states = self.services(), self.states()
            self._looked = (now, reach.network(services, states), reach.names(services, states))
        return self._looked[1], self._looked[2]

    def is_isolated(self, now: datetime) -> bool:
        return self.ways(now)[0].is_lost

    def is_in_force(self, notice: Notice) -> bool:
        """Whether the rule by which something was said is still there, and about whom it was said."""
        service = self.services().get(notice.service_id or "")
        return is_in_force(self.rules, notice.event_type, str(notice.data.get("rule")), service)

    def shift(self, step: timedelta) -> None:
        """Hear that the wall clock has stepped."""
        self.regained = {name: at + step for name, at in self.regained.items()}
        self.came_up = {name: at + step for name, at in self.came_up.items()}
        self.works.shift(step)
        if self.waiting_until is not None:
            self.waiting_until += step

    def note_places(self) -> None:
        """Remember where services stand in Compose: while a job makes a container anew, there is none to ask."""
        found = ((service_id, self.place_of(service_id)) for service_id in self.services())
        self.places |= {service_id: place for service_id, place in found if place is not None}

    def ask(self, service_ids: Sequence[str], now: datetime) -> None:
        """Have services looked at at once, each at most once in a while."""
        if self.look_now is None or self._asked_last == (now, service_ids):
            return
        self._asked_last = (now, service_ids)
        while_ = timedelta(seconds=ASKED_SECONDS)
        fresh = [one for one in service_ids if one not in self._asked or abs(now - self._asked[one]) >= while_]
        self._asked = {id_: at for id_, at in self._asked.items() if abs(now - at) < while_} | dict.fromkeys(fresh, now)
        if fresh:
            self.look_now(fresh)


def bound_of(service: Service, policy: Policy) -> timedelta:
    return timedelta(seconds=service.bound_seconds(policy))
