"""What somebody may ask of Compose, checked before anything is looked up or locked."""

import re
from enum import StrEnum
from typing import Any

import msgspec

from fks_master.errors import ComposeRefusedError

MOST_SERVICES = 500
MOST_FILES = 20
LONGEST_PATH = 1024
MOST_LINES = 1_000_000

SERVICE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}")
PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
PROFILE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}")


class Action(StrEnum):
    """The verbs. Those that need the file read it; the others work from the labels of the containers alone."""

    BUILD = "build"
    PULL = "pull"
    UP = "up"
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    PUSH = "push"
    PS = "ps"
    LOGS = "logs"
    DOWN = "down"

    @property
    def needs_file(self) -> bool:
        return self in {Action.BUILD, Action.PULL, Action.UP, Action.PUSH}

    @property
    def is_reading(self) -> bool:
        """It changes nothing, so that it need not wait for others."""
        return self in {Action.PS, Action.LOGS}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A checked request. `tail` is for logs; `detach` makes `logs` follow."""

    action: Action
    services: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    project: str | None = None
    detach: bool = False
    tail: int | None = None
    dry_run: bool = False
    wait: bool = True
    profiles: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()

    @property
    def is_following(self) -> bool:
        return self.action is Action.LOGS and self.detach


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /api/compose` as sent; null is the same as left out, and so are an empty file and project."""

    action: str
    services: list[str] | None = None
    file: str | list[str] | None = None
    project: str | None = None
    detach: bool | None = None
    tail: int | str | None = None
    dry_run: bool | None = None
    wait: bool | None = None
    profiles: list[str] | None = None
    env_file: str | list[str] | None = None


def parse(content: bytes) -> Request:
    """Read a JSON body. Raises ComposeRefusedError with the reason."""
    try:
        return check(msgspec.json.decode(content, type=Body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ComposeRefusedError(f"not a compose request: {error}") from error


def convert(fields: dict[str, Any]) -> Request:
    """Read the same from decoded fields."""
    try:
        return check(msgspec.convert(fields, Body))
    except msgspec.ValidationError as error:
        raise ComposeRefusedError(f"not a compose request: {error}") from error


def check(body: Body) -> Request:
    """Hold every field against its rule. Raises ComposeRefusedError."""
    return Request(
        action=_action(body.action),
        services=_names(body.services or [], SERVICE, "service", MOST_SERVICES),
        files=_paths(body.file),
        project=_project(body.project),
        detach=bool(body.detach),
        tail=_tail(body.tail),
        dry_run=bool(body.dry_run),
        wait=body.wait is not False,
        profiles=_names(body.profiles or [], PROFILE, "profile", MOST_FILES),
        env_files=_paths(body.env_file),
    )


def _action(text: str) -> Action:
    try:
        return Action(text.strip().lower())
    except ValueError:
        raise ComposeRefusedError(f"unknown action {text[:40]!r}; known are {', '.join(Action)}") from None


def _names(names: list[str], rule: re.Pattern[str], what: str, most: int) -> tuple[str, ...]:
    if len(names) > most:
        raise ComposeRefusedError(f"{len(names)} {what}s are too many; at most {most}")
    for name in names:
        if not rule.fullmatch(name):
            raise ComposeRefusedError(f"{name[:80]!r} is not the name of a {what}")
    return tuple(dict.fromkeys(names))


def _paths(paths: str | list[str] | None) -> tuple[str, ...]:
    listed = [paths] if paths and isinstance(paths, str) else list(paths or [])
    if len(listed) > MOST_FILES:
        raise ComposeRefusedError(f"{len(listed)} files are too many; at most {MOST_FILES}")
    for path in listed:
        if not path.strip() or len(path) > LONGEST_PATH or not path.isprintable():
            raise ComposeRefusedError(f"{path[:80]!r} is not the path of a file")
    return tuple(listed)


def _project(name: str | None) -> str | None:
    if name is None or name == "":
        return None
    if not PROJECT.fullmatch(name):
        raise ComposeRefusedError(
            f"{name[:80]!r} is not the name of a project: lower-case letters, digits, '-' and '_', "
            "beginning with a letter or digit"
        )
    return name


def _tail(lines: int | str | None) -> int | None:
    if lines is None or lines == "all":
        return None
    text = str(lines)
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(MOST_LINES)) or int(text) > MOST_LINES:
        raise ComposeRefusedError(f"tail {text[:40]!r} is not a number of lines from 0 to {MOST_LINES}")
    return int(text)
