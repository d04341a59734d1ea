"""Which files may be used: those below the configured roots, and no way out of them by links or dots.

Whoever may choose a Compose file that we bring up is root on the host, and a label on a container is the word of
whoever made the container. So every path, wherever it comes from, passes through `Roots.find`.
"""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from fks_master.errors import ComposeRefusedError

MOST_BYTES = 1 << 20
SUFFIXES = {".yml", ".yaml"}
# The order in which Compose itself looks; an override counts whatever the main file is called.
DEFAULTS = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)


class Roots:
    """The folders below which files may be used; relative paths are looked for in each, in order."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(Path(os.path.realpath(root)) for root in roots)

    def find_compose_file(self, path: str) -> Path:
        """Return the real path of a Compose file. Raises ComposeRefusedError."""
        found = self._find(path)
        if found.suffix not in SUFFIXES:
            raise ComposeRefusedError(f"{path[:200]!r} is not a Compose file: its name ends in neither .yml nor .yaml")
        return found

    def find_env_file(self, path: str) -> Path:
        return self._find(path)

    def holds(self, folder: str) -> bool:
        """Whether a folder is a root or lies below one; it need not be there."""
        path = Path(os.path.realpath(folder))
        return any(path.is_relative_to(root) for root in self._roots)

    def default_files(self) -> tuple[Path, ...]:
        """Return the default file of the first root that has one, and its override. Raises ComposeRefusedError."""
        for root in self._roots:
            main = next((root / name for name in DEFAULTS if (root / name).is_file()), None)
            if main is not None:
                override = next((root / name for name in OVERRIDES if (root / name).is_file()), None)
                return tuple(self.find_compose_file(str(path)) for path in (main, override) if path is not None)
        raise ComposeRefusedError("no file is named, and no root holds a compose.yaml or docker-compose.yml")

    def _find(self, path: str) -> Path:
        candidates = [Path(os.path.realpath(root / path)) for root in self._roots]
        allowed = [each for each in candidates if self._is_below_a_root(each)]
        if not allowed:
            raise ComposeRefusedError(f"{path[:200]!r} is not below the configured [compose] roots")
        found = next((each for each in allowed if each.exists()), None)
        if found is None:
            raise ComposeRefusedError(f"there is no file {path[:200]!r} below the configured [compose] roots")
        _check_content(found, path)
        return found

    def _is_below_a_root(self, path: Path) -> bool:
        return any(path.is_relative_to(root) and path != root for root in self._roots)


def _check_content(found: Path, path: str) -> None:
    """Refuse what is not a plain file (a pipe would hang Compose) or is too long (aliases multiply what they read)."""
    found_stat = found.stat()
    if not stat.S_ISREG(found_stat.st_mode):
        raise ComposeRefusedError(f"{path[:200]!r} is not a plain file")
    if found_stat.st_size > MOST_BYTES:
        raise ComposeRefusedError(f"{path[:200]!r} is longer than {MOST_BYTES >> 20} MiB")
