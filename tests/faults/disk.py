"""A small disk, to be filled."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


class Disk:
    """`fill` leaves nothing, `clear` gives it back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        with self._filler.open("ab") as stream, suppress(OSError):
            while True:
                os.write(stream.fileno(), b"\0" * 4096)

    def clear(self) -> None:
        self._filler.unlink()


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    """Mount a file system of its own there: as root, or with sudo where it asks nothing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
    options = f"size={megabytes}m,uid={os.geteuid()},mode=0700"
    mount = [*rights, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if (rights and not shutil.which("sudo")) or subprocess.run(mount, check=False, capture_output=True).returncode:
        reason = "to mount a file system takes root, or sudo without a password"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    try:
        yield Disk(folder)
    finally:
        subprocess.run([*rights, "umount", "--lazy", str(folder)], check=True, capture_output=True)
