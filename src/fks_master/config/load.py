"""From a path to a `Config`, or to one `ConfigError` that holds every mistake."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from fks_master.config import alerting, heartbeats, places, probing, references, walk
from fks_master.config.builtin import FKS_SERVICES
from fks_master.config.schema import Config, File
from fks_master.errors import ConfigError

LARGEST = 16 << 20
DEFAULT_PATH = Path("config/monitor.toml")

_POSITION = re.compile(r"(?P<what>.*) \(at (?P<where>.*)\)", re.DOTALL)
_TWICE = re.compile(r"Cannot declare \((.*)\) twice", re.DOTALL)
_QUOTED = re.compile(r"'([^']*)'")
_HINTS = {
    "Invalid value": ': a text stands in quotes, and only "true" and "false" do not',
    "Cannot overwrite a value": ": this key is there already",
    "Unescaped '\\' in a string": r": write \\, or put the text into 'single quotes'",
    "Illegal character '\\n'": ": the quote that ends the text is missing",
    "Unterminated string": ": the quote that ends the text is missing",
    'Expected "\'"': ": the quote that ends the text is missing",
    "Expected newline": ": one key = value stands in a line, and a text in quotes",
    "Duplicate inline table key": ": this key is there already",
    "Unclosed array": ": the ] that ends the list, or a comma, is missing",
    "Unclosed inline table": ": the } that ends the table, or a comma, is missing",
    "Expected '=' after a key": ": as in key = value",
    "Invalid statement": ": expected key = value, [table] or [[table]]",
}


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
    return _config(_read(content, str(source)), source)


def check(content: bytes, source: str) -> None:
    """Raise a ConfigError if `load` would refuse a file with this content; its lines are of no interest."""
    _checked(_parse(_decode(content, source), source), source)


def from_document(document: dict[str, object], source: str) -> Config:
    """Take a config that was read by somebody else. Raises ConfigError."""
    return _config(_checked(document, source), None)


def _read(content: bytes, source: str) -> File:
    text = _decode(content, source)
    document = _parse(text, source)
    try:
        return _checked(document, source)
    except ConfigError as error:
        raise ConfigError(source, places.with_lines(text, error.mistakes)) from None


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


def _decode(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(source, [f"line {line}: {_no_utf8(content)}"]) from error


def _no_utf8(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "found UTF-16, expected UTF-8: save the file with that encoding"
    return "found a byte that is not UTF-8: save the file with that encoding"


def _parse(text: str, source: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ConfigError(source, ["nested too deeply"]) from error
    except ValueError as error:
        raise ConfigError(source, [_place_first(str(error))]) from error


def _place_first(message: str) -> str:
    """Turn "Invalid value (at line 3, column 7)" into "line 3, column 7: Invalid value", and say what to do."""
    match = _POSITION.fullmatch(message)
    where, what = (match["where"], match["what"]) if match else ("", message)
    twice = _TWICE.fullmatch(what)
    if twice:
        what = f"the table {'.'.join(re.findall(_QUOTED, twice[1]))} is there already"
    hint = next((hint for beginning, hint in _HINTS.items() if what.startswith(beginning)), "")
    return f"{where}: {what}{hint}" if where else f"{what}{hint}"


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
