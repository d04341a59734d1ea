"""The book of incidents: one continuous bad period of a service, from its first failure until it is up again.

Opened by `ServiceDown` and closed by `ServiceUp`, in the transaction of that very event: there is no moment at which
one is known and the other is not. What is told of the service in between becomes the timeline; what was seen at
the first moment is kept as evidence, and outlives the container.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from fks_master.clock import Clock
from fks_master.history.meanwhile import Meanwhile
from fks_master.model import Change, Event, EventType, Outcome, Result, State
from fks_master.storage import Database, Statement, load_queries
from fks_master.storage.database import from_ms, to_ms

log = structlog.get_logger(__name__)

SQL = load_queries("fks_master.history", "sql/incidents.sql")

RESULTS_BEFORE = 20
RESULTS_DURING = 50
MOST_LINES = 1000
COLLECT_SECONDS = 15.0
COLLECT_TRIES = 6
COLLECT_AGAIN_SECONDS = 2.0
DIED_BEFORE = timedelta(minutes=10)

Collector = Callable[[str], Awaitable[Mapping[str, object]]]

encode = msgspec.json.encode


class Entry(msgspec.Struct, frozen=True):
    """One line of a timeline."""

    at: datetime
    kind: str
    message: str
    data: object = None


class Open(msgspec.Struct):
    """An incident that goes on.

    `lines` counts what stands in its timeline, `results` the probe results of them, `last` is the newest of those;
    `up_ms` is when it was over already, where that is still to be said.
    """

    number: int
    id: str
    service_id: str
    started_ms: int
    cause: str
    lines: int = 0
    results: int = 0
    last: tuple[object, ...] = ()
    up_ms: int | None = None


class Wish(msgspec.Struct, frozen=True):
    """Evidence that is still to be collected."""

    incident: str
    service_id: str
    kinds: tuple[str, ...]
    tries: int = 1


class IncidentBook:
    """Contributes to the journal; collects evidence from outside (`collectors`, by kind) in `run`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._open: dict[str, Open] = {}
        self._failing: dict[str, deque[Result]] = {}
        self._good: dict[str, Result] = {}
        self._number = to_ms(clock.now()) * 1000
        self._died: dict[str, Event] = {}
        self._latest: dict[str, str] = {}
        self._wanted: asyncio.Queue[Wish] = asyncio.Queue()
        self.collectors: dict[str, Collector] = {}
        self._merged: dict[str, str] = {}
        self.collected = 0

    @property
    def open(self) -> Mapping[str, Open]:
        """The open incidents by service."""
        return self._open

    async def restore(self, watched: Iterable[str]) -> None:
        """Take up the open incidents; those of services that are no longer watched end here."""
        self._open = {one.service_id: one for one in await self.read_open()}
        self._latest = {one.service_id: one.id for one in self._open.values()}
        gone = self._open.keys() - set(watched)
        statements = [one for service_id in gone for one in self._end_unwatched(service_id, self._clock.now())]
        if statements:
            await self._database.execute(*statements)

    async def read_open(self) -> list[Open]:
        return [Open(*row) for row in await self._database.fetch(SQL["open_incidents"])]

    def take_up(self, before: Iterable[Open], meanwhile: Meanwhile, watched: Collection[str]) -> Iterator[Statement]:
        """Go on with what an earlier process left open in a store that was away when we began.

        What we have begun ourselves for a service that was down all the time becomes part of it.
        """
        for one in before:
            service_id = one.service_id
            ours, good = self._open.get(service_id), meanwhile.good.get(service_id)
            down = meanwhile.down.get(service_id)
            if down is not None:
                yield from self._merge(f"inc-{down.id}", one)
            if service_id not in watched:
                self._open[service_id] = one
                yield from self._end_unwatched(service_id, self._clock.now())
            elif down is not None and ours is not None and ours.number == down.id:
                self._open[service_id] = msgspec.structs.replace(one, results=ours.results, last=ours.last)
                self._latest[service_id] = one.id
            elif good is not None and (ours is not None or service_id in meanwhile.up):
                yield self._unseen(one)
                yield _closed(one, good)
            else:
                self._open[service_id] = msgspec.structs.replace(one, up_ms=to_ms(good) if good else None)
                self._latest.setdefault(service_id, one.id)

    def _merge(self, gone: str, into: Open) -> Iterator[Statement]:
        self._merged[gone] = into.id
        for name in ("move_entries", "move_evidence"):
            yield SQL[name](gone=gone, incident=into.id)
        yield SQL["forget_evidence"](incident=gone)
        yield SQL["forget_incident"](id=gone)

    def _unseen(self, one: Open) -> Statement:
        message = "the history was away when the monitor began; how this went on was not seen"
        return self._entry(one.id, "unseen", self._clock.now(), message, {})

    def record(self, change: Change) -> Sequence[Statement]:
        statements = self._see(change.result) if change.result else []
        for event in change.events:
            statements += self._hear(event)
        if change.result and change.result.outcome is Outcome.SUCCESS:
            self._good[change.result.service_id] = change.result
        return statements

    def reopened(self) -> list[Statement]:
        """Give the open incidents for a store that does not know them."""
        return [_opened(incident) for incident in self._open.values()]

    def drain(self, *, everything: bool = False) -> Sequence[Statement]:  # noqa: ARG002 - what this part writes is urgent
        return ()

    def settle(self, *, is_written: bool) -> None:
        """Nothing to keep."""

    def remember_good(self, states: Iterable[State]) -> None:
        """Take up the last good results from states that an earlier process left."""
        for state in states:
            if state.last is not None and state.last.outcome is Outcome.SUCCESS:
                self._good.setdefault(state.service_id, state.last)

    def notified(self, service_id: str, at: datetime, message: str, data: object) -> Sequence[Statement]:
        """Give the line of who was told of the newest incident of a service, its end included."""
        incident = self._latest.get(service_id)
        return [self._entry(incident, "notification", at, message, data)] if incident else []

    async def run(self) -> None:
        """Collect evidence for each new incident; what cannot be had now is tried again for a minute."""
        async with asyncio.TaskGroup() as waiting:
            while True:
                wish = await self._wanted.get()
                found = await asyncio.gather(*(self._collect(kind, wish) for kind in wish.kinds))
                missing = tuple(kind for kind, is_done in zip(wish.kinds, found, strict=True) if not is_done)
                self.collected += 1
                if missing and wish.tries < COLLECT_TRIES:
                    waiting.create_task(self._wish_again(msgspec.structs.replace(wish, kinds=missing)))

    async def _wish_again(self, wish: Wish) -> None:
        await self._clock.sleep(COLLECT_AGAIN_SECONDS * 2 ** (wish.tries - 1))
        self._wanted.put_nowait(msgspec.structs.replace(wish, tries=wish.tries + 1))

    async def _collect(self, kind: str, wish: Wish) -> bool:
        """Return whether there is nothing more to be had."""
        try:
            async with asyncio.timeout(COLLECT_SECONDS):
                found = await self.collectors[kind](wish.service_id)
            if found:
                incident = self._merged.get(wish.incident, wish.incident)
                await self._database.execute(self._evidence(incident, kind, found))
        except Exception as error:  # noqa: BLE001 - whatever the outside does, the next incident is served
            said = str(error) or type(error).__name__
            log.warning("evidence_missing", kind=kind, incident=wish.incident, error=said, tries=wish.tries)
            return False
        return True

    def _see(self, result: Result) -> list[Statement]:
        if result.outcome is Outcome.VOID:
            return []
        going_on = self._open.get(result.service_id)
        if result.outcome is Outcome.SUCCESS:
            self._failing.pop(result.service_id, None)
        elif going_on is not None:
            going_on.up_ms = None
        else:
            self._failing.setdefault(result.service_id, deque(maxlen=RESULTS_BEFORE)).append(result)
        return [self._result(going_on, result)] if going_on and _is_worth_a_line(going_on, result) else []

    def _result(self, incident: Open, result: Result) -> Statement:
        incident.results += 1
        incident.lines += 1
        incident.last = _what(result)
        message = result.message or ("answered well" if result.outcome is Outcome.SUCCESS else "failed")
        return self._entry(incident.id, "result", result.at, message, result)

    def _line(self, incident: Open, event: Event) -> Statement:
        incident.lines += 1
        return self._entry(incident.id, event.event_type.value, event.timestamp, event.message, event.data)

    def _hear(self, event: Event) -> list[Statement]:
        if event.event_type is EventType.CONTAINER_DIED and event.service_id:
            self._died[event.service_id] = event
        if event.event_type is EventType.SERVICE_DOWN and event.service_id not in self._open:
            return self._begin(event)
        statements = [
            self._line(incident, event)
            for service_id, incident in self._open.items()
            if event.service_id in {service_id, None}
            and (incident.lines < MOST_LINES or event.event_type is EventType.SERVICE_UP)
        ]
        if event.event_type is EventType.SERVICE_UP and event.service_id in self._open:
            statements.append(self._close(event.service_id, event.timestamp))
        for gone in event.unwatched:
            statements += self._end_unwatched(gone, event.timestamp) if gone in self._open else []
        return statements

    def _begin(self, event: Event) -> list[Statement]:
        service_id = event.service_id or ""
        failing = self._failing.pop(service_id, deque())
        since = event.data.get("since")
        started = since if isinstance(since, datetime) else event.timestamp
        cause = str(event.data.get("error") or event.data.get("reason") or event.message)
        incident = self._open[service_id] = Open(event.id, event.incident_id, service_id, to_ms(started), cause)
        statements = [
            _opened(incident),
            *(self._result(incident, result) for result in failing),
            self._line(incident, event),
        ]
        if failing:
            statements.append(self._evidence(incident.id, "failure", failing[0]))
        if service_id in self._good:
            statements.append(self._evidence(incident.id, "last_good", self._good[service_id]))
        died = self._died.pop(service_id, None)
        if died is not None and event.timestamp - died.timestamp < DIED_BEFORE:
            statements.append(self._evidence(incident.id, "died", {"at": died.timestamp, **died.data}))
        self._latest[service_id] = incident.id
        self._wanted.put_nowait(Wish(incident.id, service_id, tuple(self.collectors)))
        return statements

    def _close(self, service_id: str, at: datetime) -> Statement:
        """End it; where the clock was set back meanwhile, when it began."""
        gone = self._open.pop(service_id)
        return _closed(gone, at if gone.up_ms is None else from_ms(gone.up_ms))

    def _end_unwatched(self, service_id: str, at: datetime) -> list[Statement]:
        message = "the service is no longer watched"
        entry = self._entry(self._open[service_id].id, "unwatched", at, message, {})
        return [entry, self._close(service_id, at)]

    def _entry(self, incident: str, kind: str, at: datetime, message: str, data: object) -> Statement:
        return add_entry(incident, self.next_number(), Entry(at, kind, message, data))

    def next_number(self) -> int:
        """Give the lines of timelines the order in which we learned of them, whatever the clock says."""
        self._number += 1
        return self._number

    def _evidence(self, incident: str, kind: str, data: object) -> Statement:
        text = encode(data).decode()
        return SQL["add_evidence"](incident=incident, kind=kind, at_ms=to_ms(self._clock.now()), data=text)


def _opened(one: Open) -> Statement:
    return SQL["open_incident"](
        number=one.number, id=one.id, service_id=one.service_id, started_ms=one.started_ms, cause=one.cause
    )


def _closed(one: Open, at: datetime) -> Statement:
    return SQL["close_incident"](id=one.id, ended_ms=max(to_ms(at), one.started_ms))


def add_entry(incident: str, number: int, entry: Entry) -> Statement:
    return SQL["add_entry"](
        incident=incident,
        number=number,
        at_ms=to_ms(entry.at),
        kind=entry.kind,
        message=entry.message[:1000],
        data=encode(entry.data).decode(),
    )


def _is_worth_a_line(incident: Open, result: Result) -> bool:
    """Keep what differs from the line before, and the first of what does not, as long as there is room."""
    if incident.lines >= MOST_LINES:
        return False
    return result.outcome is Outcome.SUCCESS or (incident.results < RESULTS_DURING and _what(result) != incident.last)


def _what(result: Result) -> tuple[object, ...]:
    return (result.outcome, result.reason, result.status_code, result.message)
