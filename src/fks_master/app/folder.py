"""The folder in which everything is kept: nobody else's business."""

import stat
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

OURS = ("fks_master.", "audit.jsonl", "discovered.", "jobs")


def make_private(folder: Path) -> None:
    """Shut a folder that stands open to others, wherever a link leads, unless they keep things there, too."""
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & 0o077:
            return
        if all(one.name.startswith(OURS) for one in folder.iterdir()):
            folder.chmod(0o700)
        else:
            log.warning(
                "data_folder_open", folder=str(folder), mode=f"{mode:o}", remedy="others keep things there, too"
            )
    except FileNotFoundError:
        pass  # it will be made as it should be
    except OSError as error:
        log.warning("data_folder_open", folder=str(folder), reason=error.strerror)
