"""Everything that remembers, as one: the journal, and the parts that contribute to it."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping

from fks_master.clock import Clock
from fks_master.errors import StorageError
from fks_master.history.archive import Archive
from fks_master.history.incidents import IncidentBook
from fks_master.history.keeper import Keeper, Retention
from fks_master.history.measures import Measures
from fks_master.history.recorder import Recorder
from fks_master.model import Service
from fks_master.storage import Database, Journal, Restored


class Past:
    """Hands the parts their database; `restore` before the first change, `close` after the last one."""

    def __init__(
        self,
        database: Database,
        services: Callable[[], Mapping[str, Service]],
        clock: Clock,
        retention: Retention,
    ) -> None:
        self._database = database
        self.journal = Journal(database, clock)
        self.book = IncidentBook(database, clock)
        self.archive = Archive(database, self.book, clock)
        self.recorder = Recorder(database, services, clock)
        self.keeper = Keeper(database, self.recorder, clock, retention)
        self.measures = Measures(database, self.recorder, self.keeper)
        self.journal.join(self.book)
        self.journal.join(self.recorder)

    async def restore(self, watched: Iterable[str]) -> Restored:
        """Connect, migrate and read what an earlier process left. Raises SchemaError."""
        remembered = await self.journal.restore()
        await self.book.restore(watched)
        with contextlib.suppress(StorageError):
            await self.recorder.restore()
        return remembered

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.journal.run())
            group.create_task(self.book.run())
            group.create_task(self.keeper.run())

    async def close(self) -> None:
        await self.journal.close()
        await self._database.close()
