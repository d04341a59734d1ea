"""SQLite: one writer thread, readers beside it.

1. `execute` hands its statements to the writer and waits. The writer takes all that has gathered and commits it as one
   transaction, each call in a savepoint of its own: one refused statement does not harm the others.
2. Reads run on connections of their own (WAL: they never wait for the writer, nor it for them).
3. The file is opened when first needed, and again after a failure; nothing here ever blocks the event loop.
4. A file that is found corrupt, by a write or a read, is set aside, and a fresh one takes its place: checks and alerts
   go on.
5. On a full disk only `relieve` gets the room that was kept in reserve: what it deletes is room for what comes.
"""

import asyncio
import contextlib
import errno
import os
import queue
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import structlog

from fks_master.errors import (
    StatementRefusedError,
    StorageError,
    StoreFullError,
    StoreUnavailableError,
)
from fks_master.storage import care, migrate
from fks_master.storage.database import Failpoint, Query, Row, Statement, no_failpoint
from fks_master.storage.lock import Lock
from fks_master.storage.queries import Migration
from fks_master.storage.reserve import Reserve

log = structlog.get_logger(__name__)

DIALECT = {"blob": "BLOB", "clustered": "WITHOUT ROWID"}
READERS = 2
BUSY_MS = 5000
SHORT_LOG_PAGES = 200
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_REFUSED = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError, OverflowError)
_ERRORS = (sqlite3.Error, OverflowError)


class _Unit(msgspec.Struct):
    """The statements of one call, and who waits for them."""

    statements: Sequence[Statement]
    done: "Future[None]"
    is_relief: bool = False


class SQLite:
    """One database file; None keeps everything in memory, for as long as the process lives."""

    def __init__(
        self, path: Path | None, migrations: Sequence[Migration] = (), failpoint: Failpoint = no_failpoint
    ) -> None:
        self.path = path
        self._migrations = [*migrate.JOURNAL, *migrations]
        self._failpoint = failpoint
        self._units: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._writer: sqlite3.Connection | None = None
        self._local = threading.local()
        self._generation = 0
        self._suspicion: Exception | None = None
        self._lock = Lock(path) if path is not None else None
        self._reserve = Reserve(path) if path is not None else None
        self._set_aside: queue.SimpleQueue[Path] = queue.SimpleQueue()
        self._reading: list[sqlite3.Connection] = []
        self._readers = ThreadPoolExecutor(READERS, "sqlite-read")
        self._thread = threading.Thread(target=self._write_all, name="sqlite-write", daemon=True)

    async def open(self) -> None:
        await self.execute()

    async def execute(self, *statements: Statement) -> None:
        await self._hand_over(_Unit(statements, Future()))

    async def relieve(self, *statements: Statement) -> None:
        """Delete on a full disk, too; and set a reserve aside again once there is room for one."""
        await self._hand_over(_Unit(statements, Future(), is_relief=True))

    async def _hand_over(self, unit: _Unit) -> None:
        if not self._thread.is_alive():
            self._thread.start()
        self._units.put(unit)
        await asyncio.wrap_future(unit.done)

    async def fetch(self, query: Query, **values: object) -> Sequence[Row]:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._fetch, query, values)

    def take_set_aside(self) -> Path | None:
        """Return where a corrupt file was put, once."""
        return None if self._set_aside.empty() else self._set_aside.get()

    async def close(self) -> None:
        if self._thread.is_alive():
            self._units.put(None)
            await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._readers.shutdown)
        for connection in self._reading:
            connection.close()
        if self._lock is not None:
            self._lock.release()

    def _fetch(self, query: Query, values: dict[str, Any]) -> Sequence[Row]:
        try:
            return self._reader().execute(query.text, values).fetchall()
        except _ERRORS as error:
            if _is_of_corruption(error):
                self._suspicion = error
            kind = StatementRefusedError if _is_mistake(error) else StoreUnavailableError
            raise kind(f"{query.name}: {error}") from error

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None or self._local.generation != self._generation:
            self._local.generation = self._generation
            connection = self._connect()
            connection.execute("PRAGMA read_uncommitted = 1" if self.path is None else "PRAGMA query_only = 1")
            self._local.connection = connection
            self._reading.append(connection)
        return connection

    def _connect(self) -> sqlite3.Connection:
        name = f"file:fks_master_{id(self)}?mode=memory&cache=shared" if self.path is None else str(self.path)
        connection = sqlite3.connect(
            name, BUSY_MS / 1000, isolation_level=None, check_same_thread=False, uri=self.path is None
        )
        connection.row_factory = sqlite3.Row
        return connection

    def _write_all(self) -> None:
        while (batch := self._take_batch()) is not None:
            self._commit(batch)
        if self._writer is not None:
            self._writer.close()

    def _take_batch(self) -> list[_Unit] | None:
        """Wait for one unit and take what else has gathered; None at the end."""
        unit = self._units.get()
        batch = []
        while unit is not None:
            if unit.done.set_running_or_notify_cancel():
                batch.append(unit)
            try:
                unit = self._units.get_nowait()
            except queue.Empty:
                return batch
        if batch:
            self._units.put(None)  # the end was seen too early: it is still to come
        return batch or None

    def _commit(self, batch: list[_Unit]) -> None:
        try:
            refused = self._committed_with_relief(batch)
        except (sqlite3.Error, OSError, StorageError) as error:
            self._fail(batch, error)
            return
        for unit, mistake in zip(batch, refused, strict=True):
            if mistake is None:
                unit.done.set_result(None)
            else:
                unit.done.set_exception(mistake)

    def _committed_with_relief(self, batch: list[_Unit]) -> list[StatementRefusedError | None]:
        """Commit; on a full disk with the room of the reserve, if what is to be done makes room."""
        relief = [unit for unit in batch if unit.is_relief]
        try:
            refused = self._committed(batch)
        except (sqlite3.Error, OSError) as error:
            is_opening = self._writer is None
            self._let_go()
            if not self._is_full(error) or self._reserve is None:
                raise
            if not (relief or is_opening) or not self._reserve.give():
                raise StoreFullError(str(error)) from error
            refused = self._committed(batch)
        if relief and self._reserve is not None and not self._reserve.is_whole:
            self._tidy(self._opened())
            self._reserve.fill()
        return refused

    def _tidy(self, connection: sqlite3.Connection) -> None:
        """Put what the log holds where it belongs, and keep the log short from now on."""
        with contextlib.suppress(sqlite3.Error):
            connection.execute("PRAGMA busy_timeout = 100")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {SHORT_LOG_PAGES}")

    def _is_full(self, error: Exception) -> bool:
        if isinstance(error, OSError):
            return error.errno == errno.ENOSPC
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        is_disk = code in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
        return code == sqlite3.SQLITE_FULL or (is_disk and self._reserve is not None and self._reserve.is_disk_full)

    def _committed(self, batch: list[_Unit]) -> list[StatementRefusedError | None]:
        try:
            self._look_into_suspicion(self._opened())
            return self._transaction(self._opened(), batch)
        except sqlite3.Error as error:
            if self.path is None or not _is_of_corruption(error):
                raise
            self._begin_afresh(self.path, error)
            return self._transaction(self._opened(), batch)

    def _look_into_suspicion(self, connection: sqlite3.Connection) -> None:
        """Raise what a reader has met, if the file is corrupt indeed."""
        suspicion, self._suspicion = self._suspicion, None
        if suspicion is not None and connection.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
            raise suspicion

    def _begin_afresh(self, path: Path, error: sqlite3.Error) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        target = care.set_aside(path, "corrupt")
        self._generation += 1
        self._set_aside.put(target)
        log.error("store_corrupt", error=str(error), set_aside=str(target))

    def _let_go(self) -> None:
        """Undo what is open, and drop a connection that is of no more use."""
        if self._writer is not None and not _is_rolled_back(self._writer):
            self._writer.close()
            self._writer = None

    def _fail(self, batch: list[_Unit], error: Exception) -> None:
        self._let_go()
        if not isinstance(error, StorageError) and self._is_full(error):
            error = StoreFullError(str(error))
        for unit in batch:
            reason = error if isinstance(error, StorageError) else StoreUnavailableError(str(error))
            reason.__cause__ = error if reason is not error else None
            unit.done.set_exception(reason)

    def _transaction(self, connection: sqlite3.Connection, batch: list[_Unit]) -> list[StatementRefusedError | None]:
        if not any(unit.statements for unit in batch):
            return [None] * len(batch)
        connection.execute("BEGIN IMMEDIATE")
        refused = [self._run(connection, unit) for unit in batch]
        self._failpoint("commit.before")
        connection.execute("COMMIT")
        self._failpoint("commit.after")
        return refused

    def _run(self, connection: sqlite3.Connection, unit: _Unit) -> StatementRefusedError | None:
        connection.execute("SAVEPOINT unit")
        try:
            for statement in unit.statements:
                _execute(connection, statement)
        except _ERRORS as error:
            if not _is_mistake(error):
                raise
            connection.execute("ROLLBACK TO unit")
            refused = StatementRefusedError(f"{statement.query.name}: {error}")
            refused.__cause__ = error
            return refused
        connection.execute("RELEASE unit")
        return None

    def _opened(self) -> sqlite3.Connection:
        if self._writer is None:
            if self.path is not None:
                _make_private(self.path)
            if self._lock is not None:
                self._lock.acquire()
            connection = self._connect()
            try:
                _tune(connection)
                self._migrate(connection)
            except BaseException:
                connection.close()
                raise
            self._writer = connection
            if self._reserve is not None:
                self._reserve.fill()
        return self._writer

    def _migrate(self, connection: sqlite3.Connection) -> None:
        connection.execute(migrate.CREATE_TABLE)
        applied = dict(connection.execute(migrate.APPLIED.text).fetchall())
        for migration in migrate.pending(self._migrations, applied):
            self._failpoint("migration.before")
            connection.execute("BEGIN IMMEDIATE")
            for text in migration.statements(DIALECT):
                connection.execute(text)
                self._failpoint("migration.step")
            connection.execute(migrate.MARK.text, {"part": migration.part, "number": migration.number})
            connection.execute("COMMIT")
            self._failpoint("migration.after")


def _execute(connection: sqlite3.Connection, statement: Statement) -> None:
    rows = statement.rows
    if rows and isinstance(rows[0], tuple):
        connection.executemany(statement.query.with_marks, rows)
    else:
        connection.executemany(statement.query.text, rows)


def _is_of_corruption(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _CORRUPT


def _is_mistake(error: Exception) -> bool:
    """Whether the statement is at fault, not the store."""
    return isinstance(error, _REFUSED) or getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR


def _is_rolled_back(connection: sqlite3.Connection) -> bool:
    """Undo what is open; false when the connection is of no more use."""
    with contextlib.suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        return True
    return False


def _make_private(path: Path) -> None:
    """Create file and folder for our eyes only, whatever the umask; SQLite gives its side files the same mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.fchmod(descriptor, 0o600)
    os.close(descriptor)


def _tune(connection: sqlite3.Connection) -> None:
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",  # a committed transition survives a power cut; at one commit a second it costs nothing
        "journal_size_limit = 16777216",
        "temp_store = MEMORY",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")
