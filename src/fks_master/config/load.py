"""From a path to a `Config`, or to one `ConfigError` that holds every mistake."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from fks_master.config import alerting, heartbeats, probing, references, walk
from fks_master.config.builtin import FKS_SERVICES
from fks_master.config.schema import Config, File
from fks_master.errors import ConfigError

LARGEST = 16 << 20
DEFAULT_PATH = Path("config/monitor.toml")

_POSITION = re.compile(r"(?P<what>.*) \(at (?P<where>.*)\)", re.DOTALL)


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Read the file at `path`, else the one that FKS_MONITOR_CONFIG names, else the default one.

    Only when nobody named a file may it be absent: then the built-in FKS services are watched.
    """
    named = path or (Path(environ["FKS_MONITOR_CONFIG"]) if environ.get("FKS_MONITOR_CONFIG") else None)
    source = named or DEFAULT_PATH
    try:
        with source.open("rb") as file:
            content = file.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        if named:
            raise ConfigError(str(source), ["no such file"]) from error
        return _config(File(services=FKS_SERVICES), None)
    except (OSError, ValueError) as error:
        raise ConfigError(str(source), [f"cannot be read: {getattr(error, 'strerror', None) or error}"]) from error
    if len(content) > LARGEST:
        raise ConfigError(str(source), [f"larger than {LARGEST >> 20} MiB, which no config is"])
    return _config(_checked(_parse(content, str(source)), str(source)), source)


def check(content: bytes, source: str) -> None:
    """Raise a ConfigError if `load` would refuse a file with this content."""
    _checked(_parse(content, source), source)


def from_document(document: dict[str, object], source: str) -> Config:
    """Take a config that was read by somebody else. Raises ConfigError."""
    return _config(_checked(document, source), None)


def _checked(document: dict[str, object], source: str) -> File:
    services = document.get("services")
    mistakes = [
        *walk.find_mistakes(document, File),
        *references.find_mistakes(services),
        *references.find_unknown(document.get("status_page"), services),
    ]
    if mistakes:
        raise ConfigError(source, mistakes)
    file = msgspec.convert(document, File)
    finders = (alerting.find_mistakes(file.alerts), probing.find_mistakes(file.services))
    if unfit := [mistake for found in (*finders, heartbeats.find_mistakes(file.services)) for mistake in found]:
        raise ConfigError(source, unfit)
    return file


def _parse(content: bytes, source: str) -> dict[str, object]:
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(source, [f"line {line}: found a byte that is not UTF-8"]) from error
    except RecursionError as error:
        raise ConfigError(source, ["nested too deeply"]) from error
    except ValueError as error:
        raise ConfigError(source, [_place_first(str(error))]) from error


def _place_first(message: str) -> str:
    """Turn "Invalid value (at line 3, column 7)" into "line 3, column 7: Invalid value"."""
    match = _POSITION.fullmatch(message)
    return f"{match['where']}: {match['what']}" if match else message


def _config(file: File, source: Path | None) -> Config:
    return Config(
        monitoring=file.monitoring,
        alerts=msgspec.structs.replace(file.alerts, webhook_url=file.alerts.webhook_url or None),
        server=file.server,
        compose=file.compose,
        history=file.history,
        control=file.control,
        discovery=file.discovery,
        status_page=file.status_page,
        api_keys=file.api_keys,
        services=tuple(entry.service(file.monitoring) for entry in file.services),
        source=source,
    )
