"""Care for a whole store from outside: pruning a file now, and moving everything into another store."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from fks_master.errors import StorageError
from fks_master.history.keeper import DAY, HOUR, MINUTE, SLICE_ROWS, Retention
from fks_master.history.recorder import SQL
from fks_master.storage import Database, Query, Statement
from fks_master.storage.database import to_ms

BUSY_SECONDS = 10.0
ROWS_AT_ONCE = 2000

Told = Callable[[int], None]


class Table(msgspec.Struct, frozen=True):
    """One table of a file: its columns, and how many rows it has."""

    name: str
    columns: tuple[str, ...]
    rows: int


def prune(path: Path, keep: Retention, now: datetime) -> dict[str, int]:
    """Delete what is past its time, in small transactions: the monitor may go on meanwhile. Return rows by table."""
    moment = to_ms(now)
    old = moment - keep.events_days * DAY * 1000
    try:
        with closing(sqlite3.connect(path, BUSY_SECONDS, isolation_level=None)) as connection:
            services = [row[0] for row in connection.execute("SELECT number FROM watched")]
            steps = {MINUTE: keep.minutes_days, HOUR: keep.hours_days}
            rollups = [
                {"step": step, "service": number, "before_ms": moment - days * DAY * 1000}
                for number in services
                for step, days in steps.items()
            ]
            return {
                "results": _prune_results(connection, moment - keep.results_hours * HOUR * 1000),
                "rollups": sum(_run(connection, SQL["prune_rollups"], each) for each in rollups),
                "events": _run(connection, SQL["prune_events"], {"before_ms": old}),
                "transitions": _run(connection, SQL["prune_transitions"], {"before_ms": old}),
            }
    except sqlite3.Error as error:
        raise StorageError(f"{path} cannot be pruned: {error}") from error


def _prune_results(connection: sqlite3.Connection, before_ms: int) -> int:
    deleted = 0
    values = {"before_ms": before_ms, "count": SLICE_ROWS}
    while row := connection.execute(SQL["slice_end"].text, values).fetchone():
        deleted += _run(connection, SQL["prune_results"], {"before_ms": row[0]})
    return deleted + _run(connection, SQL["prune_results"], {"before_ms": before_ms})


def _run(connection: sqlite3.Connection, query: Query, values: dict[str, int]) -> int:
    return connection.execute(query.text, values).rowcount


def compact(path: Path) -> None:
    """Give the disk back what pruning has freed. Nobody else may use the file."""
    try:
        with closing(sqlite3.connect(path, BUSY_SECONDS, isolation_level=None)) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise StorageError(f"{path} cannot be compacted: {error}") from error


def tables(path: Path) -> list[Table]:
    """List what a file holds, the marks of its migrations aside."""
    with closing(_opened(path)) as connection:
        names = [
            row[0]
            for row in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                " AND name <> 'schema_migrations' ORDER BY name"
            )
        ]
        return [_table(connection, name) for name in names]


def _table(connection: sqlite3.Connection, name: str) -> Table:
    columns = tuple(row[1] for row in connection.execute(f'PRAGMA table_info("{name}")'))
    [(rows,)] = connection.execute(f'SELECT COUNT(*) FROM "{name}"')  # noqa: S608 - the name is the file's own
    return Table(name, columns, rows)


async def copy(path: Path, target: Database, known: Sequence[Table], told: Told) -> None:
    """Put every row into the target, whose schema is ours. What is there stays: a broken run can be repeated."""
    with closing(_opened(path)) as connection:
        for table in known:
            query = _adding(table)
            for rows in _batches(connection, table):
                await target.execute(Statement(query, rows))
                told(len(rows))


async def stranger(path: Path, target: Database) -> str | None:
    """Name a service by which one can tell that the target holds another history than the file; None: it does not."""
    with closing(_opened(path)) as connection:
        ours = dict(connection.execute("SELECT number, id FROM watched").fetchall())
    theirs = [(row["number"], row["id"]) for row in await target.fetch(SQL["watched"])]
    return next((name for number, name in theirs if ours.get(number) != name), None)


async def missing(target: Database, known: Sequence[Table]) -> list[str]:
    """Name the tables of which the target holds fewer rows."""
    short = []
    for table in known:
        query = Query.parse("count", f"SELECT COUNT(*) AS rows FROM {table.name}")  # noqa: S608 - see above
        [row] = await target.fetch(query)
        if row["rows"] < table.rows:
            short.append(f"{table.name} ({row['rows']} of {table.rows})")
    return short


def _adding(table: Table) -> Query:
    values = ", ".join(f":{column}" for column in table.columns)
    columns = ", ".join(table.columns)
    text = f"INSERT INTO {table.name} ({columns}) VALUES ({values}) ON CONFLICT DO NOTHING"  # noqa: S608 - see above
    return Query.parse(f"copy_{table.name}", text)


def _batches(connection: sqlite3.Connection, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    columns = ", ".join(f'"{column}"' for column in table.columns)
    cursor = connection.execute(f'SELECT {columns} FROM "{table.name}"')  # noqa: S608 - see above
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        yield rows


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
