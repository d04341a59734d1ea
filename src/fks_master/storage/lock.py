"""One instance a database: a lock that the kernel releases when its holder dies, however it dies."""

import fcntl
import os
from pathlib import Path

from fks_master.errors import StoreOccupiedError


class Lock:
    """Lies beside the file; held until `release`."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}.lock")
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raise StoreOccupiedError while another process holds it."""
        if self._descriptor is not None:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise StoreOccupiedError(f"another FKS Master works on {self._path.name.removesuffix('.lock')}") from error
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
