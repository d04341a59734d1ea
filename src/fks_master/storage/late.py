"""A store that was away when we began and is there now: what it knew is taken up before anything is written to it.

What an earlier process left is joined with what was seen since (`TakeUp`); what turned out to be no news, because it
was known before, is struck out of what waits to be written.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping

import msgspec

from fks_master.model import State
from fks_master.storage.database import Statement

NUMBERED = {"add_event", "add_transition"}


class Restored(msgspec.Struct, frozen=True):
    """What an earlier process left: the last states, and the number of its newest event.

    While it is not known, because the store is away, numbers begin beyond all that it can hold.
    """

    states: Mapping[str, State] = {}
    newest: int = 0
    is_known: bool = True


class TakenUp(msgspec.Struct, frozen=True):
    """The states to go on with, what else is to be written, and the events that are no news."""

    states: Iterable[State] = ()
    statements: tuple[Statement, ...] = ()
    no_news: frozenset[int] = frozenset()


TakeUp = Callable[[Restored], Awaitable[TakenUp]]


async def as_it_is(_: Restored) -> TakenUp:
    """Stand in where nobody remembers anything."""
    return TakenUp()


def without(statements: Iterable[Statement], no_news: frozenset[int]) -> tuple[Statement, ...]:
    """Strike events and transitions out by their numbers, which come first in their rows."""
    return tuple(
        Statement(one.query, [row for row in one.rows if row[0] not in no_news])  # type: ignore[index]
        if one.query.name in NUMBERED
        else one
        for one in statements
    )
