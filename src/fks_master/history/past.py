"""Everything that remembers, as one: the journal, and the parts that contribute to it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

import structlog

from fks_master.clock import Clock
from fks_master.errors import StorageError, StoreOccupiedError, StoreUnavailableError
from fks_master.history.archive import Archive
from fks_master.history.incidents import IncidentBook
from fks_master.history.keeper import Keeper, Retention
from fks_master.history.meanwhile import Meanwhile
from fks_master.history.measures import Measures
from fks_master.history.planned import Planned
from fks_master.history.recorder import Recorder
from fks_master.model import Event, EventType, Service, State
from fks_master.state.joined import joined
from fks_master.storage import Database, Journal, Restored, Statement, TakenUp
from fks_master.storage.entries import forgotten

log = structlog.get_logger(__name__)

ReadLate = Callable[[], Awaitable[Callable[[Collection[str]], None]]]
"""Reads what was remembered, and returns how to take it up, given the services that people were told to be up since."""

STANDBY_SECONDS = 1.0
TELL_FULL_SECONDS = 3600.0


class Past:
    """Hands the parts their database; `restore` before the first change, `close` after the last one.

    For a store that is there only later, `states` gives what is known by then and `correct` takes what comes of it;
    `read_late` are others that remember: each reads, and returns what takes it up. `afresh` are told of a new, empty
    store.
    """

    def __init__(
        self,
        database: Database,
        services: Callable[[], Mapping[str, Service]],
        clock: Clock,
        retention: Retention,
    ) -> None:
        self._database = database
        self._clock = clock
        self.journal = Journal(database, clock)
        self.book = IncidentBook(database, clock)
        self.archive = Archive(database, self.book, clock)
        self.recorder = Recorder(database, services, clock)
        self.keeper = Keeper(database, self.recorder, clock, retention)
        self.planned = Planned(database, clock)
        self.measures = Measures(database, self.recorder, self.keeper, self.planned)
        self._services = services
        self._meanwhile: Meanwhile | None = None
        self._is_away = False
        self._tell_full_at = 0.0
        self.states: Callable[[], Mapping[str, State]] = dict
        self.correct: Callable[[Iterable[State]], object] = list
        self.read_late: list[ReadLate] = []
        self.afresh: list[Callable[[], None]] = []
        self.journal.take_up = self._take_up
        self.journal.join(self.book)
        self.journal.join(self.recorder)
        self.journal.join(self.planned)

    async def restore(self, watched: Collection[str]) -> Restored:
        """Connect, migrate and read what an earlier process left. Raises SchemaError.

        Where the store is away, what it knows is taken up once it is there: `Journal.take_up`.
        """
        remembered = self.journal.unknown() if self._is_away else await self.journal.restore()
        if remembered.is_known:
            try:
                await self.book.restore(watched)
            except StorageError as error:
                log.warning("incidents_not_restored", error=str(error))
                remembered = self.journal.unknown()
        if not remembered.is_known:
            self._meanwhile = Meanwhile()
            self.journal.join(self._meanwhile)
            return remembered
        self.book.remember_good(remembered.states.values())
        with contextlib.suppress(StorageError):
            await self._database.execute(*_forgotten(remembered, watched))
            await self.recorder.restore()
        return remembered

    async def _take_up(self, remembered: Restored) -> TakenUp:
        """Join what an earlier process left with what was seen since: all is read first, then it holds at once."""
        meanwhile = self._meanwhile
        if meanwhile is None:
            return TakenUp()
        if not self.recorder.is_restored:
            await self.recorder.restore()
        before = await self.book.read_open()
        apply = [await read() for read in self.read_late]
        for each in apply:
            each(meanwhile.up)
        self.book.remember_good(remembered.states.values())
        watched = self._services().keys()
        statements = (*self.book.take_up(before, meanwhile, watched), *_forgotten(remembered, watched))
        states = [
            joined(
                remembered.states[name], state,
                was_good=name in meanwhile.good, was_bad=name in meanwhile.bad, is_told_up=name in meanwhile.up,
            )
            for name, state in self.states().items()
            if name in remembered.states
        ]  # fmt: skip
        self.correct(states)
        self.journal.leave(meanwhile)
        self._meanwhile = None
        log.info("history_taken_up", services=len(states), incidents=len(before))
        return TakenUp(states, statements, meanwhile.no_news(remembered.states))

    async def may_lead(self) -> bool:
        """Whether no other instance works on the store; one that is away altogether has nobody else."""
        try:
            await self._database.open()
        except StoreOccupiedError as error:
            log.warning("standby", reason=str(error))
            return False
        except StoreUnavailableError as error:
            log.error("store_away", error=str(error))  # noqa: TRY400 - the message says it
            self._is_away = True
        return True

    async def wait_to_lead(self) -> None:
        """Wait as standby until the other instance has ended."""
        is_occupied = True
        while is_occupied:
            await self._clock.sleep(STANDBY_SECONDS)
            try:
                await self._database.open()
            except StoreOccupiedError:
                continue
            except StoreUnavailableError:
                log.warning("standby_over", reason="the store does not answer")
                self._is_away = True
            is_occupied = False

    async def run(self, announce: Callable[[Event], None]) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.journal.run())
            group.create_task(self.book.run())
            group.create_task(self.keeper.run())
            group.create_task(self.planned.run())
            group.create_task(self._tell(announce))

    async def _tell(self, announce: Callable[[Event], None]) -> None:
        while True:
            if path := self._database.take_set_aside():
                await self._begin_afresh()
                message = f"The history was corrupt; it is set aside as {path.name}, and a fresh one begins"
                announce(Event(EventType.SYSTEM_ALERT, message, self._clock.now(), data={"path": path.name}))
            if self.journal.is_full:
                await self._make_room(announce)
            await self._clock.sleep(STANDBY_SECONDS)

    async def _make_room(self, announce: Callable[[Event], None]) -> None:
        try:
            seconds = await self.keeper.make_room()
        except StorageError as error:
            log.debug("no_room_made", error=str(error))
            return
        now = self._clock.monotonic()
        if now >= self._tell_full_at:
            self._tell_full_at = now + TELL_FULL_SECONDS
            message = "The disk of the history is full; the oldest results make room for new ones"
            announce(Event(EventType.SYSTEM_ALERT, message, self._clock.now(), data={"given_up_seconds": seconds}))

    async def _begin_afresh(self) -> None:
        """Tell the new store what the old one knew and is still true."""
        self.recorder.begin_afresh()
        self.planned.begin_afresh()
        self.keeper.marks.clear()
        self.journal.remember_all(self.states().values())
        for each in self.afresh:
            each()
        with contextlib.suppress(StorageError):
            await self._database.execute(*self.book.reopened())

    async def close(self) -> None:
        await self.journal.close()
        await self._database.close()


def _forgotten(remembered: Restored, watched: Collection[str]) -> tuple[Statement, ...]:
    """Give what forgets services that were taken away while we did not run."""
    gone = remembered.states.keys() - set(watched)
    return (forgotten(sorted(gone)),) if gone else ()
