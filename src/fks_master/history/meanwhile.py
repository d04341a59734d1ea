"""What was seen of each service while it was not known what was seen before, because the store was away."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from fks_master.model import Change, Event, EventType, Outcome, State
from fks_master.storage import Statement


class Meanwhile:
    """Contributes nothing to the journal but listens.

    `good` and `bad` say when a service was first seen so, `down` holds the `ServiceDown` of one that was never good
    before, and `up` when one was last said to be up.
    """

    def __init__(self) -> None:
        self.good: dict[str, datetime] = {}
        self.bad: dict[str, datetime] = {}
        self.down: dict[str, Event] = {}
        self.up: dict[str, datetime] = {}
        self._first: dict[str, Event] = {}

    def record(self, change: Change) -> Sequence[Statement]:
        result = change.result
        if result is not None and result.outcome is not Outcome.VOID:
            seen = self.good if result.outcome is Outcome.SUCCESS else self.bad
            seen.setdefault(result.service_id, result.at)
        for event in change.events:
            self._hear(event, event.service_id or "")
        return ()

    def _hear(self, event: Event, service_id: str) -> None:
        if event.event_type is EventType.STATUS_CHANGED:
            self._first.setdefault(service_id, event)
        elif event.event_type is EventType.SERVICE_UP:
            self.up[service_id] = event.timestamp
        elif event.event_type is EventType.SERVICE_DOWN and service_id not in self.good:
            self.down.setdefault(service_id, event)

    def no_news(self, states: Mapping[str, State]) -> frozenset[int]:
        """Name the events that only say what an earlier process knew: a restart by itself makes none."""
        first = {one.id for name, one in self._first.items() if name in states and _is(states[name], one)}
        down = {one.id for name, one in self.down.items() if name in states and states[name].is_down}
        return frozenset(first | down)

    def drain(self, *, everything: bool = False) -> Sequence[Statement]:  # noqa: ARG002 - there is nothing
        return ()

    def settle(self, *, is_written: bool) -> None:
        """Nothing to keep."""


def _is(state: State, changed: Event) -> bool:
    return changed.data["new"] == state.status
