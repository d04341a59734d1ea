"""A reserve on the disk: SQLite needs room even to delete, so some is kept back for the day when there is none."""

import contextlib
import os
import shutil
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

RESERVE_BYTES = 4 * 1024 * 1024
NEARLY_NOTHING = 256 * 1024


class Reserve:
    """A file beside the database that holds nothing but room."""

    def __init__(self, path: Path, size: int = RESERVE_BYTES) -> None:
        self._folder = path.parent
        self._path = path.with_name(f"{path.name}.reserve")
        self._size = size

    @property
    def is_disk_full(self) -> bool:
        return self._free() < NEARLY_NOTHING

    @property
    def is_whole(self) -> bool:
        return self._path.exists() and self._path.stat().st_size >= self._size

    def fill(self) -> None:
        """Set room aside: as much as is wanted, on a disk that is nearly full half of what is left."""
        held = self._path.stat().st_size if self._path.exists() else 0
        wanted = min(self._size, (self._free() + held) // 2)
        if wanted <= held or wanted < NEARLY_NOTHING:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, wanted)
        except OSError as error:
            log.debug("no_reserve", error=error.strerror)
            self._path.unlink()
        finally:
            os.close(descriptor)

    def give(self) -> bool:
        """Give the room back to the disk; false when it has been given already."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        log.debug("reserve_given")
        return True

    def _free(self) -> int:
        with contextlib.suppress(OSError):
            return shutil.disk_usage(self._folder).free
        return 0
