"""The history, and the disk that it is on."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from fks_master.doctor.finding import Finding, error, fine, warning
from fks_master.doctor.patient import Patient
from fks_master.errors import FksError, StorageError
from fks_master.storage import care
from fks_master.storage.address import database_at, sqlite_path
from fks_master.storage.database import Query

DATABASE = "database"
DISK = "disk"
DATA = Path("data")
LEAST_BYTES = 100e6
FEW_BYTES = 1e9
LARGEST_CHECKED = 2e9  # reading every page of more takes too long here


async def look_at_database(patient: Patient) -> AsyncIterator[Finding]:
    if patient.config is None:
        return
    url = patient.config.history.url
    if not patient.config.history.enabled:
        yield warning(DATABASE, "the history is off: a restart forgets everything", "[history] enabled = true")
    elif not url.startswith("sqlite:"):
        yield await _ask_server(url)
    elif (path := sqlite_path(url)) is None:
        yield warning(
            DATABASE, "the history is in memory only", 'give [history] url a file: "sqlite:data/fks_master.db"'
        )
    else:
        for finding in await asyncio.to_thread(_look_at_file, path):
            yield finding


async def _ask_server(url: str) -> Finding:
    try:
        database = database_at(url)
    except FksError as trouble:
        return error(DATABASE, str(trouble), "install it, or keep the history in SQLite")
    try:
        (row,) = await database.fetch(Query.parse("doctor", "SHOW server_version"))
    except StorageError as trouble:
        advice = "see whether the server runs, and whether address, user and password in [history] url are right"
        return error(DATABASE, f"PostgreSQL: {trouble}", advice)
    finally:
        await database.close()
    return fine(DATABASE, f"PostgreSQL {row[0]} answers")


def _look_at_file(path: Path) -> list[Finding]:
    if not path.exists():
        return [_look_at_folder(path.parent)]
    if not os.access(path, os.R_OK | os.W_OK):
        return [error(DATABASE, f"{path} may not be written by this user", "chown it to the user that runs FKS Master")]
    size = path.stat().st_size
    found = []
    if path.stat().st_mode & 0o077:
        found.append(warning(DATABASE, f"{path} can be read by others", f"chmod 600 {path}"))
    mistakes = care.check(path) if size < LARGEST_CHECKED else []
    if mistakes:
        advice = "stop the monitor and restore a backup: fks_master db restore; without one it begins afresh by itself"
        return [*found, error(DATABASE, f"{path} is damaged: {mistakes[0]}", advice)]
    return [*found, fine(DATABASE, f"{path}: {size / 1e6:.1f} MB")]


def _look_at_folder(folder: Path) -> Finding:
    here = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if os.access(here, os.W_OK | os.X_OK):
        return fine(DATABASE, f"{folder.absolute()} can be written; the history begins there")
    return error(
        DATABASE,
        f"{here.absolute()} may not be written by this user",
        f"chown or mount it; the history would be {folder}",
    )


async def look_at_disk(patient: Patient) -> AsyncIterator[Finding]:
    path = (
        sqlite_path(patient.config.history.url)
        if patient.config and patient.config.history.url.startswith("sqlite:")
        else None
    )
    folder = path.parent if path else DATA
    here = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    free = shutil.disk_usage(here).free
    message = f"{free / 1e9:.1f} GB free for {folder}"
    if free < LEAST_BYTES:
        yield error(DISK, message, "make room: soon nothing can be remembered")
    elif free < FEW_BYTES:
        yield warning(DISK, message, "make room, or keep less: [history] results_hours, minutes_days")
    else:
        yield fine(DISK, message)
