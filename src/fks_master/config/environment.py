"""What the environment says: addresses, credentials, logging. An empty variable counts as unset."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

import msgspec

from fks_master.config.walk import nearest, show
from fks_master.errors import ConfigError

T = TypeVar("T")
OTHERS = {"FKS_MONITOR_CONFIG", "FKS_MASTER_URL"}  # of the command line
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the environment decides. Neither `repr` nor a traceback shows a secret."""

    host: str = "127.0.0.1"
    port: int = 9090
    api_key: str | None = None
    ws_jwt_secret: str | None = None
    ws_jwt_allowed_roles: tuple[str, ...] = ("admin", "orchestrate")
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_required: bool = False
    otel_endpoint: str | None = None
    otel_headers: Mapping[str, str] = {}
    service_name: str = "fks_master"
    trace_sample_ratio: float = 1.0
    docker_host: str = "unix:///var/run/docker.sock"
    json_log: bool = False
    log_level: LogLevel = LogLevel.INFO

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        secrets = {"api_key", "ws_jwt_secret", "otel_headers"}
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return [(name, "…" if name in secrets and value else value) for name, value in values]


def read_environment(environ: Mapping[str, str]) -> Settings:
    """Read every variable, then raise one ConfigError if some are wrong."""
    reader = _Reader(environ)
    default = Settings()
    settings = Settings(
        host=reader.read("FKS_MASTER_HOST", str.strip, default.host),
        port=reader.read("FKS_MASTER_PORT", _port, default.port),
        api_key=reader.secret("FKS_MONITOR_API_KEY"),
        ws_jwt_secret=reader.secret("FKS_WS_JWT_SECRET"),
        ws_jwt_allowed_roles=reader.read("FKS_WS_JWT_ALLOWED_ROLES", _roles, default.ws_jwt_allowed_roles),
        tls_cert=reader.read("FKS_TLS_CERT", Path, default.tls_cert),
        tls_key=reader.read("FKS_TLS_KEY", Path, default.tls_key),
        tls_required=reader.read("FKS_TLS_REQUIRED", _switch, default.tls_required),
        otel_endpoint=reader.read("FKS_OTEL_ENDPOINT", _address, default.otel_endpoint),
        otel_headers=reader.headers("OTEL_EXPORTER_OTLP_HEADERS"),
        service_name=reader.read("FKS_SERVICE_NAME", str.strip, default.service_name),
        trace_sample_ratio=reader.read("FKS_TRACE_SAMPLE_RATIO", _ratio, default.trace_sample_ratio),
        docker_host=reader.read("DOCKER_HOST", _docker_host, default.docker_host),
        json_log=reader.read("FKS_JSON_LOG", _switch, default.json_log),
        log_level=reader.read("FKS_LOG_LEVEL", _level, _rust_level(environ.get("RUST_LOG", "")) or default.log_level),
    )
    if reader.mistakes:
        raise ConfigError("environment", reader.mistakes)
    return settings


def misspelt(environ: Mapping[str, str]) -> list[str]:
    """Name variables that are read by nobody, though they look like one that is."""
    asked = _Asked()
    read_environment(asked)
    known = asked.names | OTHERS
    strange = (name for name in environ if name.startswith("FKS_") and name not in known)
    return [f"{name} is read by nobody{near}" for name in sorted(strange) if (near := nearest(name, sorted(known)))]


class _Asked(dict[str, str]):
    """Has no variable, and knows for which it was asked."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as in dict
        self.names.add(name)
        return default


class _Reader:
    """Reads one variable after the other and keeps the mistakes."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.mistakes: list[str] = []

    def read(self, name: str, parse: Callable[[str], T], default: T) -> T:
        """Parse a variable; `parse` raises ValueError with what it expected."""
        text = self._environ.get(name, "")
        if not text.strip():
            return default
        try:
            return parse(text)
        except ValueError as error:
            self.mistakes.append(f"{name}: found {show(text)}, expected {error}")
            return default

    def secret(self, name: str) -> str | None:
        """Read a secret from NAME or from the file NAME_FILE names. What is set but blank must not open the door."""
        file = self._environ.get(f"{name}_FILE", "")
        text = self._environ.get(name, "")
        if file and text:
            self.mistakes.append(f"{name}: set here and by {name}_FILE, expected only one of them")
        elif file:
            return self._secret_file(f"{name}_FILE", Path(file))
        elif text and not text.strip():
            self.mistakes.append(f"{name}: found only blanks, expected a secret")
        return text.strip() or None

    def headers(self, name: str) -> dict[str, str]:
        """Read "name=value,name=value", percent-encoded as OpenTelemetry has it. The values are secrets."""
        pairs = [pair.partition("=") for pair in (self.secret(name) or "").split(",") if pair.strip()]
        found = {key.strip(): unquote(value.strip()) for key, _, value in pairs}
        if not all(_HEADER_NAME.fullmatch(key) and value.isprintable() and value for key, value in found.items()):
            self.mistakes.append(f"{name}: expected name=value, with commas between several")
            return {}
        return found

    def _secret_file(self, name: str, path: Path) -> str | None:
        try:
            text = path.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a text in UTF-8"
            self.mistakes.append(f"{name}: {path} cannot be read: {reason}")
            return None
        if not text:
            self.mistakes.append(f"{name}: {path} is empty, expected a secret")
        return text or None


def _port(text: str) -> int:
    if not re.fullmatch(r"\s*[0-9]{1,5}\s*", text) or int(text) > 65535:
        raise ValueError("a whole number from 0 to 65535")
    return int(text)


def _ratio(text: str) -> float:
    try:
        ratio = float(text)
    except ValueError:
        ratio = -1.0
    if not 0 <= ratio <= 1:
        raise ValueError("a number from 0 to 1")
    return ratio


def _roles(text: str) -> tuple[str, ...]:
    roles = tuple(role.strip() for role in text.split(",") if role.strip())
    if not roles:
        raise ValueError('roles with commas between them, such as "admin,orchestrate"')
    return roles


def _address(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]\S*", text.strip(), re.IGNORECASE):
        raise ValueError("an http:// or https:// address")
    return text.strip()


def _docker_host(text: str) -> str:
    """Read it as Docker's own tools do: TCP unless it says otherwise, on this machine, at 2375."""
    scheme, is_named, rest = text.strip().rpartition("://")
    scheme = scheme.lower() if is_named else "tcp"
    if scheme not in {"unix", "tcp", "http", "https", "ssh"} or (not is_named and rest.startswith("/")):
        raise ValueError("unix:///path, tcp://host:port, http://, https:// or ssh://")
    if scheme == "unix":
        return f"unix://{rest}" if rest else Settings().docker_host
    if scheme != "tcp":
        return f"{scheme}://{rest}"
    host, colon, port = rest.rpartition(":")
    if not colon or "]" in port:
        host, port = rest.rstrip("/"), ""
    return f"tcp://{host or '127.0.0.1'}:{port or 2375}"


_SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _switch(text: str) -> bool:
    try:
        return _SWITCH[text.strip().lower()]
    except KeyError:
        raise ValueError("true or false") from None


_LEVELS = {"warn": LogLevel.WARNING} | {level.value: level for level in LogLevel}


def _level(text: str) -> LogLevel:
    try:
        return _LEVELS[text.strip().lower()]
    except KeyError:
        raise ValueError(f"one of debug, info, warn, error{nearest(text, _LEVELS)}") from None


# What Rust programs know beyond our four.
_RUST_LEVELS = _LEVELS | {"trace": LogLevel.DEBUG, "off": LogLevel.ERROR}


def _rust_level(filters: str) -> LogLevel | None:
    """Read filters such as "info,hyper=warn": the one for fks_master, else the one for everything.

    Like Rust programs we pass over what we do not know: the variable may be meant for others.
    """
    levels = {}
    for each in filters.lower().split(","):
        target, is_for_target, level = (part.strip() for part in each.rpartition("="))
        if level == "fks_master":
            levels[level] = LogLevel.DEBUG
        elif level in _RUST_LEVELS:
            levels[target if is_for_target else ""] = _RUST_LEVELS[level]
    return levels.get("fks_master", levels.get(""))
