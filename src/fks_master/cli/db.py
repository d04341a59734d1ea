"""`fks_master db`: care for the history, while the monitor runs or not."""

import os
import sys
from pathlib import Path

import click

from fks_master.cli import options
from fks_master.clock import SystemClock
from fks_master.config.load import load
from fks_master.errors import StorageError
from fks_master.history import care as history_care
from fks_master.history.keeper import Retention
from fks_master.storage import care
from fks_master.storage.address import sqlite_path
from fks_master.storage.lock import Lock


@click.group()
def db() -> None:
    """Check, back up, restore, prune or export the history.

    \b
    Examples:
      fks_master db check
      fks_master db backup /backup/fks_master.db
      fks_master db export > history.jsonl
    """  # noqa: D301


@db.command()
@options.config
def check(config: Path | None) -> None:
    """Say whether the file is sound; exit 1 if it is not."""
    path = history_file(config)
    mistakes = care.check(path)
    if mistakes:
        raise StorageError("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    click.echo(f"{path}: sound, {path.stat().st_size / 1e6:.1f} MB")


@db.command()
@click.argument("target", type=click.Path(path_type=Path))
@options.config
def backup(target: Path, config: Path | None) -> None:
    """Copy the history to a new file TARGET, while the monitor goes on."""
    care.backup(history_file(config), target)
    click.echo(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


@db.command()
@click.argument("saved", type=click.Path(path_type=Path))
@options.config
def restore(saved: Path, config: Path | None) -> None:
    """Put the backup SAVED in the place of the history; what was there is kept beside it. The monitor must not run."""
    path = history_file(config)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = Lock(path)
    lock.acquire()
    before = care.restore(saved, path)
    lock.release()
    click.echo(f"{path}: restored" + (f"; what was there is {before}" if before else ""))


@db.command()
@click.option("--compact", is_flag=True, help="Give the disk back what is free then; the monitor must not run.")
@options.config
def prune(config: Path | None, *, compact: bool) -> None:
    """Delete now what [history] no longer keeps; while the monitor runs, or not."""
    path, keep = history_file(config), load(config, os.environ).history
    retention = Retention(keep.results_hours, keep.minutes_days, keep.hours_days, keep.events_days)
    lock = Lock(path)
    if compact:
        lock.acquire()
    deleted = history_care.prune(path, retention, SystemClock().now())
    if compact:
        history_care.compact(path)
        lock.release()
    click.echo(f"{path}: {', '.join(f'{count} {name}' for name, count in deleted.items())} deleted")
    click.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


@db.command()
@options.config
def export(config: Path | None) -> None:
    """Write every row as a line of JSON."""
    out = sys.stdout.buffer
    for line in care.export(history_file(config)):
        out.write(line + b"\n")


def history_file(config: Path | None) -> Path:
    """Return the SQLite file that the config names. Raises StorageError if it names none."""
    found = load(config, os.environ).history
    path = sqlite_path(found.url) if found.url.startswith("sqlite:") else None
    if path is None or not found.enabled:
        raise StorageError("this is for a history in a SQLite file; PostgreSQL has tools of its own (pg_dump)")
    return path
