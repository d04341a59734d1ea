"""PostgreSQL: one connection that writes and holds the instance lock, a few that read. Every call has a deadline.

A call that fails for any reason but its own statement drops the connection; the next call makes a new one. asyncpg's
own patience (a minute to connect, for ever for a command) never applies. While the server is known to be away only one
call at a time finds out whether it is back; the others fail at once.

A connection that a network swallowed lives on at the server, and holds the instance lock there: the next one ends it,
and of one whose process is gone the server itself finds out within half a minute.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import structlog

from fks_master.errors import SchemaError, StatementRefusedError, StoreOccupiedError, StoreUnavailableError
from fks_master.storage import migrate
from fks_master.storage.database import Query, Row, Statement, Values
from fks_master.storage.queries import Migration

log = structlog.get_logger(__name__)

DIALECT = {"blob": "BYTEA", "clustered": ""}
DEADLINE_SECONDS = 5.0
CONNECT_SECONDS = 3.0
READERS = 3
LOCK_KEY = 0x666B735F  # "fks_"
LOCK_TRIES = 10
LIVELINESS = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "4"}
UNANSWERED_MS = 30_000

OURS = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
END_OURS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2"

_REFUSED = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.DataError,
    asyncpg.SyntaxOrAccessError,
)
_AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Postgres:
    """One database. The address may hold a password: it is never shown."""

    def __init__(
        self, url: str, migrations: Sequence[Migration] = (), deadline_seconds: float = DEADLINE_SECONDS
    ) -> None:
        self._url = url
        self._migrations = [*migrate.JOURNAL, *migrations]
        self._deadline = deadline_seconds
        self._writer: asyncpg.Connection | None = None
        self._writing = asyncio.Lock()
        self._is_away = False
        self._idle: list[asyncpg.Connection] = []
        self._reading = asyncio.Semaphore(READERS)
        self._session: tuple[object, ...] | None = None

    async def open(self) -> None:
        await self.execute()

    async def execute(self, *statements: Statement) -> None:
        if self._is_away and self._writing.locked():
            raise StoreUnavailableError("the server is away")
        try:
            async with asyncio.timeout(self._deadline), self._writing:
                await self._try(statements)
        except TimeoutError as error:  # while others were at it
            raise StoreUnavailableError(_said(error)) from error

    async def _try(self, statements: Sequence[Statement]) -> None:
        try:
            await self._commit(statements)
        except BaseException as error:
            self._drop_writer()
            self._is_away = not isinstance(error, StatementRefusedError)
            if isinstance(error, _AWAY):
                raise StoreUnavailableError(_said(error)) from error
            raise
        self._is_away = False

    async def relieve(self, *statements: Statement) -> None:
        """Do as `execute` does: PostgreSQL looks after its own disk."""
        await self.execute(*statements)

    async def fetch(self, query: Query, **values: object) -> Sequence[Row]:
        try:
            async with asyncio.timeout(self._deadline), self._reading:
                return await self._read(query, values)
        except _REFUSED as error:
            raise StatementRefusedError(f"{query.name}: {_said(error)}") from error
        except _AWAY as error:
            raise StoreUnavailableError(f"{query.name}: {_said(error)}") from error

    async def _read(self, query: Query, values: Values) -> Sequence[Row]:
        connection = self._idle.pop() if self._idle else await self._connect()
        try:
            rows: Sequence[Row] = await connection.fetch(query.with_numbers, *_ordered(query, values))
        except BaseException:
            connection.terminate()
            raise
        self._idle.append(connection)
        return rows

    def take_set_aside(self) -> Path | None:
        """Nothing to set aside: PostgreSQL looks after its own files."""
        return None

    async def close(self) -> None:
        for connection in [*self._idle, *([self._writer] if self._writer else [])]:
            with contextlib.suppress(*_AWAY):
                await connection.close(timeout=1)
        self._idle.clear()
        self._writer = None

    async def _commit(self, statements: Sequence[Statement]) -> None:
        connection = await self._opened()
        if not statements:
            return
        await connection.execute("BEGIN")
        for statement in statements:
            query = statement.query
            try:
                await connection.executemany(query.with_numbers, [_ordered(query, row) for row in statement.rows])
            except _REFUSED as error:
                await connection.execute("ROLLBACK")
                raise StatementRefusedError(f"{query.name}: {_said(error)}") from error
        await connection.execute("COMMIT")

    async def _opened(self) -> asyncpg.Connection:
        if self._writer is None or self._writer.is_closed():
            self._writer = await self._connect()
            await self._lock(self._writer)
            await self._migrate(self._writer)
        return self._writer

    async def _lock(self, connection: asyncpg.Connection) -> None:
        """Take the instance lock; a connection of ours that still has it at the server's end is ended first."""
        is_ours: bool = await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK_KEY)
        if not is_ours and self._session is not None and await connection.fetchval(END_OURS, *self._session):
            tries = 0
            while not is_ours and (tries := tries + 1) <= LOCK_TRIES:
                is_ours = await connection.fetchval("SELECT pg_try_advisory_lock($1) FROM pg_sleep(0.1)", LOCK_KEY)
        if not is_ours:
            raise StoreOccupiedError("another FKS Master works on this database")
        self._session = tuple(await connection.fetchrow(OURS))

    async def _connect(self) -> asyncpg.Connection:
        try:
            connection = await asyncpg.connect(
                self._url,
                timeout=min(self._deadline, CONNECT_SECONDS),
                command_timeout=self._deadline,
                server_settings={
                    "application_name": "fks_master",
                    "statement_timeout": str(int(self._deadline * 1000)),
                    **LIVELINESS,
                },
            )
            with contextlib.suppress(asyncpg.PostgresError):  # older than version 12
                await connection.execute(f"SET tcp_user_timeout = {UNANSWERED_MS}")
        except ValueError as error:
            raise SchemaError("the address of the database cannot be read") from error
        return connection

    async def _migrate(self, connection: asyncpg.Connection) -> None:
        await connection.execute(migrate.CREATE_TABLE)
        applied = {row["part"]: row["number"] for row in await connection.fetch(migrate.APPLIED.text)}
        for migration in migrate.pending(self._migrations, applied):
            async with connection.transaction():
                for text in migration.statements(DIALECT):
                    await connection.execute(text)
                await connection.execute(migrate.MARK.with_numbers, migration.part, migration.number)

    def _drop_writer(self) -> None:
        if self._writer is not None:
            self._writer.terminate()
            self._writer = None


def _ordered(query: Query, values: Values) -> tuple[object, ...]:
    given = values if isinstance(values, tuple) else (values[name] for name in query.names)
    return tuple(map(_without_nul, given))


def _without_nul(value: object) -> object:
    """PostgreSQL's text cannot hold NUL, and others write our texts."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) and "\0" in value else value


def _said(error: BaseException) -> str:
    return str(error) or type(error).__name__
