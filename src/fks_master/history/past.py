"""Everything that remembers, as one: the journal, and the parts that contribute to it."""

import asyncio
from collections.abc import Iterable

from fks_master.clock import Clock
from fks_master.history.archive import Archive
from fks_master.history.incidents import IncidentBook
from fks_master.storage import Database, Journal, Restored


class Past:
    """Hands the parts their database; `restore` before the first change, `close` after the last one."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self.journal = Journal(database, clock)
        self.book = IncidentBook(database, clock)
        self.archive = Archive(database, self.book, clock)
        self.journal.join(self.book)

    async def restore(self, watched: Iterable[str]) -> Restored:
        """Connect, migrate and read what an earlier process left. Raises SchemaError."""
        remembered = await self.journal.restore()
        await self.book.restore(watched)
        return remembered

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.journal.run())
            group.create_task(self.book.run())

    async def close(self) -> None:
        await self.journal.close()
        await self._database.close()
