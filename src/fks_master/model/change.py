"""What one result did."""

import msgspec

from fks_master.model.event import Event
from fks_master.model.result import Result
from fks_master.model.state import State, Transition


class Change(msgspec.Struct, frozen=True):
    """The new state, the transition if there was one, the numbered events, and the result that led to it.

    What came from no check (a reload, an action, a job) is only events.
    """

    state: State | None
    transition: Transition | None
    events: tuple[Event, ...]
    result: Result | None = None
