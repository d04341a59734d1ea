"""What a string in the file must look like: each check returns what was expected, or None if the string is good."""

import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fks_master.heartbeats.schedule import occurrences

Format = Callable[[str], str | None]

PROBE_SCHEMES = ("http", "https", "tcp", "tls", "dns", "docker")
HEARTBEAT = "heartbeat://"
DATABASE_SCHEMES = ("sqlite", "postgresql", "postgres")

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]*")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_VARIABLE = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_HOST = re.compile(r"[a-zA-Z0-9_]([a-zA-Z0-9_.-]*[a-zA-Z0-9_.])?")
_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f]")


def name(text: str) -> str | None:
    if _NAME.fullmatch(text):
        return None
    return "letters, digits, '.', '_' and '-', beginning with a letter or digit"


def variable(text: str) -> str | None:
    return None if _VARIABLE.fullmatch(text) else "the name of an environment variable"


def present(text: str) -> str | None:
    return None if text.strip() else "some text"


def host(text: str) -> str | None:
    return None if _HOST.fullmatch(text) else 'a host name without scheme and port, such as "ops.example"'


def network(text: str) -> str | None:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return 'an IP address or network, such as "10.0.0.0/8"'
    return None


def origin(text: str) -> str | None:
    url = _split(text)
    if url and url.scheme in {"http", "https"} and url.path in {"", "/"} and not _has_more_than_an_address(url):
        return None
    return 'an origin, such as "https://ops.example"'


def endpoint(text: str) -> str | None:
    if text == HEARTBEAT:
        return None
    url = _split(text)
    if url is None and text.lower().startswith(tuple(f"{scheme}://" for scheme in PROBE_SCHEMES)):
        return 'a host, perhaps a port up to 65535, and no blanks, such as "http://fks_api:8000/health"'
    if url is None or url.scheme not in PROBE_SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in PROBE_SCHEMES)
        known = f"{known}, {HEARTBEAT}"
        return f'an address that begins with one of {known}, such as "http://fks_api:8000/health"'
    if url.scheme == "tcp" and url.port is None:
        return 'a host and a port, such as "tcp://fks_db:5432"'
    if url.scheme == "docker" and not _NAME.fullmatch(text.removeprefix("docker://")):
        return 'the name of a container and nothing else, such as "docker://fks_db"'
    return None


def webhook(text: str) -> str | None:
    """Accept the empty string too: it is how many a file says "none"."""
    url = _split(text)
    return None if text == "" or (url and url.scheme in {"http", "https"}) else "an http:// or https:// address"


def moment(text: str) -> str | None:
    try:
        is_good = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        is_good = False
    return None if is_good else 'a moment with its zone, such as "2026-05-01T22:00:00+02:00"'


def time_of_day(text: str) -> str | None:
    return None if _TIME.fullmatch(text) else 'a time of the day, such as "22:30"'


def zone(text: str) -> str | None:
    try:
        ZoneInfo(text)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return 'a time zone, such as "Europe/Berlin"'
    return None


def database(text: str) -> str | None:
    scheme, _, rest = text.partition(":")
    if scheme in DATABASE_SCHEMES and rest.strip("/") and (scheme == "sqlite" or _split(text)):
        return None
    return '"sqlite:PATH" or "postgresql://USER@HOST/DATABASE"'


def _split(text: str) -> SplitResult | None:
    """Split an address that names a host; None for anything else. `urlsplit` would drop control characters silently."""
    if _BLANK_OR_CONTROL.search(text):
        return None
    try:
        url = urlsplit(text)
        is_good = bool(url.hostname) and url.port != 0
    except ValueError:
        return None
    return url if is_good else None


def _has_more_than_an_address(url: SplitResult) -> bool:
    return bool(url.query or url.fragment or url.username is not None)


def sha256(text: str) -> str | None:
    return None if re.fullmatch("[0-9a-f]{64}", text) else "64 hexadecimal digits, as `fks_master keys new` prints them"


def heartbeat_token(text: str) -> str | None:
    return None if re.fullmatch("[A-Za-z0-9_-]{16,128}", text) else "16 to 128 letters, digits, '-' and '_'"


def cron(text: str) -> str | None:
    """Accept what has a next moment: five fields."""
    try:
        next(occurrences(text, "UTC", datetime(2026, 1, 1, tzinfo=UTC)))
        is_good = len(text.split()) == 5
    except (ValueError, StopIteration):
        is_good = False
    return None if is_good else 'five fields of cron, such as "30 2 * * mon-fri"'
