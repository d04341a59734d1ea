"""Who is looked over: the config and the environment as a start would read them."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from fks_master.clock import Clock, SystemClock
from fks_master.config.environment import Settings, read_environment
from fks_master.config.load import load
from fks_master.config.schema import Config
from fks_master.errors import ConfigError


class Patient(msgspec.Struct, frozen=True):
    """`config` and `settings` are None where they hold mistakes."""

    config: Config | None
    settings: Settings | None
    mistakes: tuple[ConfigError, ...] = ()
    environ: Mapping[str, str] = {}
    clock: Clock = SystemClock()


def admit(path: Path | None, environ: Mapping[str, str], **said: str | int) -> Patient:
    """Read both; `said` are settings of the command line, which beat the environment."""
    mistakes = []
    config = settings = None
    try:
        config = load(path, environ)
    except ConfigError as error:
        mistakes.append(error)
    try:
        settings = msgspec.structs.replace(read_environment(environ), **said)
    except ConfigError as error:
        mistakes.append(error)
    return Patient(config, settings, tuple(mistakes), environ)
