"""The exact command, as a list of arguments; never a shell, and names always after `--`."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from fks_master.docker.compose.request import Action, Request

# Where neither a Compose file nor an `.env` is: Compose looks in this folder and in all above it.
NOWHERE = Path("/")


class Project(msgspec.Struct, frozen=True):
    """What a command is about. Without files, Compose works from the labels of the containers."""

    name: str
    files: tuple[Path, ...] = ()
    env_files: tuple[Path, ...] = ()
    profiles: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return self.files[0].parent if self.files else NOWHERE


def base(project: Project, docker: str = "docker", *, is_on_terminal: bool = False) -> list[str]:
    """Return everything before the verb. Without `-f` and `-p`, an `.env` in the folder could name others."""
    command = [docker, "compose", "--ansi", "auto" if is_on_terminal else "never", "-p", project.name]
    for file in project.files:
        command += ["-f", str(file)]
    for file in project.env_files:
        command += ["--env-file", str(file)]
    for profile in project.profiles:
        command += ["--profile", profile]
    return [*command, "--project-directory", str(project.folder)]


def command(
    project: Project, request: Request, docker: str = "docker", *, is_on_terminal: bool = False
) -> tuple[str, ...]:
    """Return the command of a request whose names are checked."""
    head = base(project, docker, is_on_terminal=is_on_terminal)
    return (*head, request.action.value, *_flags(request, is_on_terminal=is_on_terminal), "--", *request.services)


def dry_run(project: Project, request: Request, docker: str = "docker") -> tuple[str, ...]:
    """Return the command that only tells what would be done; it must not ask a registry either."""
    never = ["--pull", "never"] if request.action is Action.UP else []
    return (
        *base(project, docker),
        "--dry-run",
        request.action.value,
        *_flags(request),
        *never,
        "--",
        *request.services,
    )


def _flags(request: Request, *, is_on_terminal: bool = False) -> Sequence[str]:
    if request.action is Action.UP and request.detach:
        return ["--detach"]
    if request.action is Action.PS:
        return ["--all"]
    if request.action is Action.LOGS:
        tail = [] if request.tail is None else ["--tail", str(request.tail)]
        return [*([] if is_on_terminal else ["--no-color"]), *tail, *(["--follow"] if request.detach else [])]
    return []
