"""A job's output on disk, in files of equal length, so that a byte's offset says where it is.

One thread appends; any may read. Beyond the cap the files in the middle go: the beginning says what was done, the end
why it failed. A full disk loses output, counted, but never stops the job.
"""

import os
from pathlib import Path

FILE_BYTES = 4 << 20
FIRST_KEPT = 1
LAST_KEPT = 15


class Spool:
    """Reads and writes the output in `folder`, which exists."""

    def __init__(self, folder: Path, file_bytes: int = FILE_BYTES, last_kept: int = LAST_KEPT) -> None:
        self._folder = folder
        self._file_bytes = file_bytes
        self._last_kept = last_kept
        self._writing: int | None = None
        self.end = self._measure()
        self.lost = 0

    def append(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            room = self._file_bytes - self.end % self._file_bytes
            written = self._write(view[:room])
            if written == 0:
                self.lost += len(view)
                return
            self.end += written
            view = view[written:]

    def read(self, offset: int, most: int) -> tuple[int, bytes]:
        """Return what is kept from `offset` on, and where that begins; nothing at the end."""
        for index in range(max(offset, 0) // self._file_bytes, self.end // self._file_bytes + 1):
            start = max(offset, index * self._file_bytes)
            try:
                with self._path(index).open("rb", buffering=0) as file:
                    return start, os.pread(file.fileno(), most, start % self._file_bytes)
            except FileNotFoundError:
                continue
        return self.end, b""

    def close(self) -> None:
        if self._writing is not None:
            os.close(self._writing)
            self._writing = None

    def _write(self, view: memoryview) -> int:
        """Write to the file that the end lies in; 0 if that is not possible."""
        try:
            if self.end % self._file_bytes == 0:
                self._turn(self.end // self._file_bytes)
            if self._writing is None:
                return 0
            return os.write(self._writing, view)
        except OSError:
            return 0

    def _turn(self, index: int) -> None:
        self.close()
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        self._writing = os.open(self._path(index), flags, 0o600)
        if index - self._last_kept >= FIRST_KEPT:
            self._path(index - self._last_kept).unlink(missing_ok=True)

    def _path(self, index: int) -> Path:
        return self._folder / f"{index:06d}.output"

    def _measure(self) -> int:
        files = sorted(self._folder.glob("*.output"))
        if not files:
            return 0
        return int(files[-1].stem) * self._file_bytes + files[-1].stat().st_size
