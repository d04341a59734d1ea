"""What one change is on disk."""

from collections.abc import Iterable

import msgspec
import structlog

from fks_master.model import Change, Event, State
from fks_master.storage.database import Statement, to_ms
from fks_master.storage.queries import load_queries

log = structlog.get_logger(__name__)

SQL = load_queries("fks_master.storage")

encode = msgspec.json.encode


class Entry(msgspec.Struct, frozen=True):
    """One urgent change on its way to the disk."""

    statements: tuple[Statement, ...]
    events: tuple[Event, ...]


def stored(states: tuple[State, ...], now_ms: int) -> Statement:
    return SQL["store_state"].many([(state.service_id, encode(state).decode(), now_ms) for state in states])


def forgotten(names: Iterable[str]) -> Statement:
    """Give what forgets services that are no longer watched: one of that name may come that was never looked at."""
    return SQL["forget_state"].many([(name,) for name in names])


def told(change: Change, now_ms: int) -> list[Statement]:
    """Give the new state, the transition and the events."""
    statements = []
    if change.state is not None:
        statements.append(stored((change.state,), now_ms))
    if change.transition is not None:
        statements.append(_transition(change))
    if change.events:
        statements.append(SQL["add_event"].many([_event(event) for event in change.events]))
    if gone := [name for event in change.events for name in event.unwatched]:
        statements.append(forgotten(gone))
    return statements


def _transition(change: Change) -> Statement:
    transition = change.transition
    assert transition is not None  # noqa: S101 - the caller looked
    number = change.events[0].id if change.events else to_ms(transition.at)
    reason = transition.reason.value if transition.reason else None
    row = (number, to_ms(transition.at), transition.service_id, transition.old.value, transition.new.value, reason)
    return SQL["add_transition"].many([row])


def _event(event: Event) -> tuple[int, int, str | None, str, str]:
    kind = event.event_type.value
    return (event.id, to_ms(event.timestamp), event.service_id, kind, encode(event).decode())


def as_read(event: Event) -> Event:
    """Give the event as it comes back from the store: what its data holds has become plain JSON."""
    return msgspec.json.decode(encode(event), type=Event)


def events_of(bodies: Iterable[str]) -> list[Event]:
    """Read events; one of a kind that only another version knows is left out."""
    found = []
    for body in bodies:
        try:
            found.append(msgspec.json.decode(body, type=Event))
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            log.warning("event_unreadable", error=str(error))
    return found


def decoded(body: str) -> State | None:
    """Read a state; one that no longer fits the model is like none."""
    try:
        return msgspec.json.decode(body, type=State)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        log.warning("state_unreadable", error=str(error))
        return None
