"""Reading incidents and events, and what people add to them."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from fks_master.clock import Clock
from fks_master.history.incidents import SQL, Entry, IncidentBook, add_entry
from fks_master.model import Event
from fks_master.storage import Database, Row, Statement
from fks_master.storage.database import from_ms, to_ms
from fks_master.storage.entries import events_of

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
LAST = 2**62


class Evidence(msgspec.Struct, frozen=True):
    """What was seen at that moment; `kind` is failure, last_good, died, container or logs."""

    kind: str
    at: datetime
    data: object = None


class Incident(msgspec.Struct, frozen=True):
    """One continuous bad period of a service; `ended_at` is null while it goes on. A list leaves the last two out."""

    id: str
    service_id: str
    started_at: datetime
    ended_at: datetime | None
    cause: str
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    timeline: tuple[Entry, ...] = ()
    evidence: tuple[Evidence, ...] = ()


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a list is to hold: newest first, before the number `before`, at most `count`."""

    service_id: str | None = None
    state: str = "all"
    event_type: str | None = None
    since: datetime = LONG_AGO
    until: datetime = NEVER
    before: int = LAST
    count: int = 100


class Archive:
    """The read side, and notes and acknowledgements."""

    def __init__(self, database: Database, book: IncidentBook, clock: Clock) -> None:
        self._database = database
        self._book = book
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    async def incidents(self, wanted: Wanted) -> tuple[list[Incident], int | None]:
        """Return a page, and the number to ask for the next one with; None at the end."""
        rows = await self._database.fetch(SQL["incidents"], state=wanted.state, **_bounds(wanted))
        following = rows[-1]["number"] if len(rows) == wanted.count else None
        return [_incident(row) for row in rows], following

    async def events(self, wanted: Wanted) -> tuple[list[Event], int | None]:
        kind = {"any_type": int(wanted.event_type is None), "event_type": wanted.event_type or ""}
        rows = await self._database.fetch(SQL["events"], **kind, **_bounds(wanted))
        events = events_of(row["body"] for row in rows)
        return events, events[-1].id if events and len(rows) == wanted.count else None

    async def incident(self, incident_id: str) -> Incident | None:
        rows = await self._database.fetch(SQL["incident"], id=incident_id)
        if not rows:
            return None
        entries = await self._database.fetch(SQL["entries"], incident=incident_id)
        evidence = await self._database.fetch(SQL["evidence"], incident=incident_id)
        return msgspec.structs.replace(
            _incident(rows[0]),
            timeline=_timeline(entries),
            evidence=tuple(Evidence(row["kind"], from_ms(row["at_ms"]), _data(row)) for row in evidence),
        )

    async def note(self, incident_id: str, text: str, who: str) -> None:
        """Add what a person has to say."""
        await self._database.execute(self._line(incident_id, "note", text, who))

    async def acknowledge(self, incident_id: str, who: str) -> None:
        """Say that somebody looks after it; the first one counts."""
        await self._database.execute(
            SQL["acknowledge_incident"](id=incident_id, at_ms=to_ms(self._clock.now()), who=who),
            self._line(incident_id, "acknowledged", f"acknowledged by {who}", who),
        )

    def _line(self, incident_id: str, kind: str, text: str, who: str) -> Statement:
        return add_entry(incident_id, self._book.next_number(), Entry(self._clock.now(), kind, text, {"by": who}))


def _bounds(wanted: Wanted) -> dict[str, object]:
    return {
        "any_service": int(wanted.service_id is None),
        "service_id": wanted.service_id or "",
        "since_ms": to_ms(wanted.since),
        "until_ms": to_ms(wanted.until),
        "before": wanted.before,
        "count": wanted.count,
    }


def _incident(row: Row) -> Incident:
    return Incident(
        row["id"],
        row["service_id"],
        from_ms(row["started_ms"]),
        _moment(row["ended_ms"]),
        row["cause"],
        _moment(row["acknowledged_ms"]),
        row["acknowledged_by"],
    )


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)


def _timeline(rows: Sequence[Row]) -> tuple[Entry, ...]:
    return tuple(Entry(from_ms(row["at_ms"]), row["kind"], row["message"], _data(row)) for row in rows)


def _data(row: Row) -> object:
    return msgspec.json.decode(row["data"])
