"""The journal: what must never be forgotten, written as it happens.

1. The hub hands over each change, synchronously; nothing here waits.
2. A change with a transition or events is *urgent*: the new state, the transition, the events and what the contributors
   add to them commit in one transaction, at once. They stay in memory until they are on disk, however long that takes.
3. States on the way to something that is told go along once a second. What contributors have gathered (raw results)
   goes with them, and every five seconds in any case; when the store fails, the contributors decide what they let go. A
   state at rest (well and staying so, or down and staying so) has its turn every five minutes, and at the end: nothing
   is decided by what a crash loses of it.
4. Whoever acts on events reads them here by number (`follow`), never from the lossy bus. The newest ones, and those
   not yet asked for, are in memory, too, and while the store fails they are given before they are on disk: an alert
   does not wait for one.
5. Where the store was away at the start, nothing is written before what it knows has been taken up.
6. A store that another instance has taken over meanwhile ends this one: two that tell people are one too many.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Protocol

import structlog

from fks_master.clock import Clock
from fks_master.errors import (
    StatementRefusedError,
    StorageError,
    StoreFullError,
    StoreOccupiedError,
    StoreUnavailableError,
)
from fks_master.model import Change, Event, State
from fks_master.storage.database import Database, Statement, to_ms
from fks_master.storage.entries import SQL, Entry, as_read, decoded, events_of, stored, told
from fks_master.storage.late import Restored, TakeUp, as_it_is, without
from fks_master.storage.turns import Turns

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 1.0
FOLLOW_COUNT = 500
MOST_RECENT = 100_000
GATHER_SECONDS = 5.0
REST_SECONDS = 300


class Contributor(Protocol):
    """A part that writes along with the journal."""

    def record(self, change: Change) -> Sequence[Statement]:
        """Take note of a change, and return what must be stored with it if it is urgent."""
        ...

    def drain(self, *, everything: bool = False) -> Sequence[Statement]:
        """Return what has gathered since the last call, to be written now; at the end `everything`."""
        ...

    def settle(self, *, is_written: bool) -> None:
        """Hear whether what the last `drain` returned is on disk."""
        ...


class Journal:
    """Writes changes.

    `lost` counts entries that the store refused for good, `failures` the failed commits; `is_full` says that the last
    one failed for want of room. `take_up` joins what a store knew that was away at the start with what was seen since.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._contributors: list[Contributor] = []
        self._urgent: deque[Entry] = deque()
        self._moved: dict[str, State] = {}
        self._resting = Turns[State](REST_SECONDS)
        self._next_gathering = 0.0
        self._is_urgent = asyncio.Event()
        self._news = asyncio.Event()
        self._writing = asyncio.Lock()
        self._is_closing = False
        self._newest_readable = 0
        self._recent: deque[Event] = deque(maxlen=MOST_RECENT)
        self._followed = 0
        self.is_restored = False
        self.take_up: TakeUp = as_it_is
        self.is_failing = False
        self.is_full = False
        self.failures = 0
        self.lost = 0

    @property
    def waiting(self) -> int:
        """How many urgent changes are not on disk yet."""
        return len(self._urgent)

    def join(self, contributor: Contributor) -> None:
        self._contributors.append(contributor)

    def leave(self, contributor: Contributor) -> None:
        self._contributors.remove(contributor)

    async def restore(self) -> Restored:
        """Read what is remembered; where the store is away, it is taken up once it is there.

        Raises SchemaError for a store that a newer version has written.
        """
        try:
            remembered = await self._remembered()
        except StoreUnavailableError as error:
            self._failed(error)
            return self.unknown()
        self._newest_readable = remembered.newest
        self.is_restored = True
        return remembered

    def unknown(self) -> Restored:
        """Begin without knowing what was."""
        self.is_restored = False
        self.is_failing = True
        return Restored({}, self._now_ms(), is_known=False)

    async def _remembered(self) -> Restored:
        await self._database.open()
        rows = await self._database.fetch(SQL["states"])
        newest = (await self._database.fetch(SQL["newest_event"]))[0]["id"]
        states = (decoded(row["body"]) for row in rows)
        return Restored({state.service_id: state for state in states if state is not None}, newest)

    async def _restore_late(self) -> bool:
        """Take up what the store knows, if it is there by now; return whether it may be written."""
        try:
            taken = await self.take_up(await self._remembered())
        except StorageError as error:
            self._failed(error)
            return False
        self.is_restored = True
        entries = [Entry(without(entry.statements, taken.no_news), entry.events) for entry in self._urgent]
        self._urgent = deque([*entries, Entry(taken.statements, ())])
        self.remember_all(taken.states)
        return True

    def record(self, change: Change) -> None:
        """Take a change over from the hub."""
        statements = [statement for one in self._contributors for statement in one.record(change)]
        is_urgent = bool(change.transition or change.events or statements)
        if change.state is not None:
            self._remember(change.state, is_urgent=is_urgent)
        for gone in (name for event in change.events for name in event.unwatched):
            self._moved.pop(gone, None)
            self._resting.drop(gone)
        if not is_urgent:
            return
        entry = Entry((*told(change, self._now_ms()), *statements), tuple(map(as_read, change.events)))
        self._urgent.append(entry)
        self._recent.extend(entry.events)
        self._let_go()
        self._is_urgent.set()
        if self.is_failing:
            self._announce([entry])

    async def run(self) -> None:
        """Write until cancelled; `close` writes the rest."""
        while not self._is_closing:
            tick = self._clock.monotonic() + FLUSH_SECONDS
            if self._moved or self._clock.monotonic() >= self._next_gathering:
                await self.tick()
            else:
                await self.flush()
            while (left := tick - self._clock.monotonic()) > 0:
                await self._wait_for_urgent(left)
                if self._is_urgent.is_set() and not self.is_failing:
                    await self.flush()
                elif self.is_failing:
                    await self._clock.sleep(left)

    async def close(self) -> None:
        self._is_closing = True
        with contextlib.suppress(StoreOccupiedError):
            await self.tick(everything=True)

    def remember_all(self, states: Iterable[State]) -> None:
        """Store all of these with the next tick: the store does not know them."""
        for state in states:
            self._remember(state, is_urgent=True)

    async def flush(self) -> None:
        """Write what is urgent now. A failure is remembered, and tried again with the next tick."""
        async with self._writing:
            await self._flush()

    async def _flush(self) -> None:
        self._is_urgent.clear()
        is_open = self.is_restored or await self._restore_late()
        entries = list(self._urgent)
        if not entries:
            return
        if not is_open:
            self._announce(entries)
            return
        try:
            await self._database.execute(*(statement for entry in entries for statement in entry.statements))
        except StatementRefusedError:
            await self._write_singly(entries)
        except StorageError as error:
            self._failed(error)
        else:
            self._written(len(entries))
        self._announce(entries)

    async def follow(self, after: int) -> list[Event]:
        """Wait for events numbered beyond `after`; return them oldest first, at most 500."""
        self._followed = after
        self._let_go()
        while self._newest_readable <= after:
            self._news.clear()
            await self._news.wait()
        if self._recent and self._recent[0].id <= after + 1:
            readable = (event for event in self._recent if after < event.id <= self._newest_readable)
            return list(islice(readable, FOLLOW_COUNT))
        events = await self._stored_after(after)
        if self.is_failing and len(events) < FOLLOW_COUNT:
            newest = events[-1].id if events else after
            events += [event for entry in self._urgent for event in entry.events if event.id > newest]
        return events[:FOLLOW_COUNT]

    async def _stored_after(self, after: int) -> list[Event]:
        try:
            rows = await self._database.fetch(SQL["events_after"], after=after, count=FOLLOW_COUNT)
        except StorageError as error:
            self._failed(error, is_reading=True)
            return []
        return events_of(row["body"] for row in rows)

    def _remember(self, state: State, *, is_urgent: bool) -> None:
        """Note that the state is to be stored: with the next tick, or when it has its turn."""
        if is_urgent or not state.is_at_rest:
            self._resting.drop(state.service_id)
            self._moved[state.service_id] = state
        else:
            self._resting.put(state.service_id, state)

    async def tick(self, *, everything: bool = False) -> None:
        """Write what is urgent, then what has gathered."""
        async with self._writing:
            await self._tick(everything=everything)

    async def _tick(self, *, everything: bool) -> None:
        await self._flush()
        if self._urgent or not self.is_restored:
            return
        self._next_gathering = self._clock.monotonic() + GATHER_SECONDS
        drained = [statement for one in self._contributors for statement in one.drain(everything=everything)]
        moved, self._moved = self._moved, {}
        moved |= self._resting.take(self._clock.monotonic(), everything=everything)
        if moved:
            drained.append(stored(tuple(moved.values()), self._now_ms()))
        if not drained:
            return
        is_written = False
        try:
            await self._database.execute(*drained)
            is_written = True
        except StorageError as error:
            self._failed(error)
        finally:
            for one in self._contributors:
                one.settle(is_written=is_written)
            if not is_written:
                self._moved = moved | self._moved
        if is_written:
            self._recovered()

    def _now_ms(self) -> int:
        return to_ms(self._clock.now())

    async def _wait_for_urgent(self, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        urgent = asyncio.ensure_future(self._is_urgent.wait())
        try:
            await asyncio.wait({sleeping, urgent}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            urgent.cancel()

    async def _write_singly(self, entries: list[Entry]) -> None:
        """Find the entry that the store refuses: it is lost, loudly, and holds up nobody else."""
        for entry in entries:
            try:
                await self._database.execute(*entry.statements)
            except StatementRefusedError:
                self.lost += 1
                log.exception("journal_entry_refused", events=[event.id for event in entry.events])
            except StorageError as error:
                self._failed(error)
                return
            self._written(1)

    def _let_go(self) -> None:
        """Keep the newest events, and those not yet asked for."""
        while len(self._recent) > FOLLOW_COUNT and self._recent[0].id <= self._followed:
            self._recent.popleft()

    def _announce(self, entries: Sequence[Entry]) -> None:
        numbers = [entry.events[-1].id for entry in entries if entry.events]
        if numbers:
            self._newest_readable = max(self._newest_readable, numbers[-1])
            self._news.set()

    def _written(self, count: int) -> None:
        for _ in range(count):
            self._urgent.popleft()
        self._recovered()

    def _failed(self, error: StorageError, *, is_reading: bool = False) -> None:
        if isinstance(error, StoreOccupiedError):
            raise error
        self.failures += 1
        if not is_reading:
            self.is_full = isinstance(error, StoreFullError)
        if not self.is_failing:
            self.is_failing = True
            log.error("store_failed", error=str(error))

    def _recovered(self) -> None:
        self.is_full = False
        if self.is_failing:
            self.is_failing = False
            log.info("store_works_again", failures=self.failures)
