"""What a look at something found."""

from collections.abc import AsyncIterator, Callable
from enum import StrEnum

import msgspec

from fks_master.doctor.patient import Patient


class Level(StrEnum):
    """How bad it is: fine, worth a thought, or in the way."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. `advice` says what to do; there is none where all is well."""

    about: str
    level: Level
    message: str
    advice: str | None = None


Look = Callable[[Patient], AsyncIterator[Finding]]


def fine(about: str, message: str) -> Finding:
    return Finding(about, Level.OK, message)


def warning(about: str, message: str, advice: str) -> Finding:
    return Finding(about, Level.WARNING, message, advice)


def error(about: str, message: str, advice: str) -> Finding:
    return Finding(about, Level.ERROR, message, advice)
