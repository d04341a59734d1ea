"""From `[history] url` to the store that it names."""

from collections.abc import Sequence
from pathlib import Path

from fks_master.errors import FksError
from fks_master.storage.database import Database
from fks_master.storage.queries import Migration
from fks_master.storage.sqlite import SQLite

MEMORY = "sqlite::memory:"


def database_at(url: str, migrations: Sequence[Migration] = ()) -> Database:
    """Give the store, not yet connected."""
    if url.startswith("sqlite:"):
        return SQLite(sqlite_path(url), migrations)
    try:
        from fks_master.storage.postgres import Postgres  # noqa: PLC0415 - imported only when configured
    except ImportError as error:
        raise FksError("a history in PostgreSQL needs the extra: pip install 'fks-master[postgres]'") from error
    return Postgres(url, migrations)


def sqlite_path(url: str) -> Path | None:
    """Read `sqlite:data/x.db` (relative), `sqlite:/data/x.db` and `sqlite:///data/x.db`; None is memory."""
    path = url.partition(":")[2]
    if path == ":memory:":
        return None
    return Path(path.removeprefix("//"))
