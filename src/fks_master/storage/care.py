"""Care for a SQLite file from outside: whole-file work, while the monitor runs or not."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from fks_master.errors import StorageError

SIDE_FILES = ("", "-wal", "-shm")
PAGES = 256


def check(path: Path) -> list[str]:
    """Return what is wrong; nothing when the file is sound."""
    try:
        with closing(_open(path)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(20)")]
    except sqlite3.Error as error:
        return [str(error)]
    return [] if found == ["ok"] else found


def backup(path: Path, target: Path) -> None:
    """Copy what is committed into a new file, page by page: whoever writes is not held up."""
    if target.exists():
        raise StorageError(f"{target} is there already")
    try:
        target.touch(mode=0o600)
    except OSError as error:
        raise StorageError(f"{target} cannot be written: {error.strerror}") from error
    try:
        with closing(_open(path)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy, pages=PAGES)
    except sqlite3.Error as error:
        target.unlink()
        raise StorageError(f"{path} cannot be copied: {error}") from error


def restore(saved: Path, path: Path) -> Path | None:
    """Put a backup in the place of the file, whose lock must be held; return where what was there is kept."""
    if path.exists() and saved.exists() and path.samefile(saved):
        raise StorageError(f"{saved} is the history itself")
    mistakes = check(saved)
    if mistakes:
        raise StorageError(f"{saved} is not sound: {mistakes[0]}")
    before = set_aside(path, "before-restore") if path.exists() else None
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    backup(saved, path)
    return before


def set_aside(path: Path, why: str) -> Path:
    """Rename the file and what lies beside it to the first free name."""
    number = next(one for one in range(1, 10_000) if not path.with_name(f"{path.name}.{why}-{one}").exists())
    target = path.with_name(f"{path.name}.{why}-{number}")
    for side in SIDE_FILES:
        source = path.with_name(path.name + side)
        if source.exists():
            source.rename(target.with_name(target.name + side))
    return target


def export(path: Path) -> Iterator[bytes]:
    """Give every row of every table as a line of JSON, blobs in base64."""
    with closing(_open(path)) as connection:
        names = [
            row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        ]
        for name in names:
            cursor = connection.execute(f'SELECT * FROM "{name}"')  # noqa: S608 - the name is the file's own
            columns = [column[0] for column in cursor.description]
            for row in cursor:
                yield msgspec.json.encode({"table": name, "row": dict(zip(columns, row, strict=True))})


def _open(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise StorageError(f"{path}: no such file")
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def events(path: Path, since_ms: int, until_ms: int) -> tuple[list[str], list[str]]:
    """Give the changes of status that held when the time began, one a service, and the events within it, as JSON."""
    before = (
        "SELECT body FROM events WHERE id IN (SELECT MAX(id) FROM events"
        " WHERE event_type = 'StatusChanged' AND at_ms < ? GROUP BY service_id)"
    )
    within = "SELECT body FROM events WHERE at_ms >= ? AND at_ms < ? ORDER BY id"
    try:
        with closing(_open(path)) as connection:
            held = [row[0] for row in connection.execute(before, (since_ms,))]
            return held, [row[0] for row in connection.execute(within, (since_ms, until_ms))]
    except sqlite3.Error as error:
        raise StorageError(f"{path} cannot be read: {error}") from error
