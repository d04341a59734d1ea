"""`fks_master migrate`: the history moves from its SQLite file into PostgreSQL."""

import asyncio
import os
from pathlib import Path

import click

from fks_master.app.watching import MIGRATIONS
from fks_master.cli import options
from fks_master.config.load import load
from fks_master.errors import StorageError
from fks_master.history import care
from fks_master.storage.address import database_at, sqlite_path
from fks_master.storage.sqlite import SQLite


@click.command()
@click.argument("target")
@click.option(
    "--source", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The file, if not the config's."
)
@options.config
def migrate(target: str, source: Path | None, config: Path | None) -> None:
    """Copy the whole history from its SQLite file into TARGET, a postgresql:// address. The monitor must not run.

    \b
    Set [history] url to the same address afterwards. The file stays; a run that was broken off can be repeated.
    TARGET must be empty, or hold what such a run has left.
    A password is better kept out of the command line: PGPASSWORD and PGPASSFILE are read.

    \b
    Example:
      fks_master migrate postgresql://fks@db/fks
    """  # noqa: D301
    if not target.startswith(("postgresql://", "postgres://")):
        raise StorageError("TARGET must be a postgresql:// address")
    path = source or _configured(config)
    asyncio.run(_move(path, target))


def _configured(config: Path | None) -> Path:
    url = load(config, os.environ).history.url
    path = sqlite_path(url) if url.startswith("sqlite:") else None
    if path is None or not path.is_file():
        raise StorageError("the config names no SQLite file that is there; name it with --source")
    return path


async def _move(path: Path, url: str) -> None:
    file, target = SQLite(path, MIGRATIONS), database_at(url, MIGRATIONS)
    try:
        await file.open()  # brings the schema up to date, and its lock keeps a monitor out
        known = care.tables(path)
        await target.open()
        if name := await care.stranger(path, target):
            raise StorageError(
                f"TARGET holds another history already, with the service {name!r}: name an empty database"
            )
        with click.progressbar(length=sum(table.rows for table in known), label=path.name, show_pos=True) as bar:
            await care.copy(path, target, known, bar.update)
        if short := await care.missing(target, known):
            raise StorageError(f"not everything arrived: {', '.join(short)}")
    finally:
        await target.close()
        await file.close()
    click.echo(f"{sum(table.rows for table in known)} rows of {len(known)} tables are in PostgreSQL")
