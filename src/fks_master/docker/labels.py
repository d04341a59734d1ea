"""What containers say of themselves by labels: the word of whoever made them, so nothing is taken as it stands."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from fks_master.docker.container import Container

LONGEST = 300
LONGEST_NAME = 100
SCHEMES = {"http": 80, "https": 443, "tcp": None, "tls": 443}
OUT = {"none", "off", "false", "no"}
HERE = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}  # noqa: S104 - as a container speaks of itself

_ID = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}")
_SHORT = re.compile(r":?([0-9]{1,5})?(/.*)?")
_PATH = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")
_NEED = re.compile(r"([a-zA-Z0-9][a-zA-Z0-9._-]{0,127})(?::[a-z_]*)?(?::([a-z]*))?")


class Endpoint(msgspec.Struct, frozen=True):
    """Where a container answers, seen from itself; without `port`: it did not say. `host` is a name it has.

    The scheme `docker` asks Docker about it.
    """

    scheme: str = "http"
    port: int | None = None
    path: str = "/health"
    host: str | None = None


def read_endpoint(label: str, container: Container) -> Endpoint | None:
    """Read `fks.health`: "8000/health", ":8000", "/health", "docker" or a whole address of the container itself.

    None: it wants not to be watched. Raises ValueError with what is wrong.
    """
    if label.strip().lower() in OUT:
        return None
    if label.strip().lower() == "docker":
        return Endpoint("docker")
    if len(label) > LONGEST or not label.isascii() or not label.isprintable() or " " in label:
        raise ValueError("fks.health is no address")
    if "://" in label:
        return _whole(label, container)
    match = _SHORT.fullmatch(label)
    if match is None or not label.strip(":"):
        raise ValueError('fks.health is neither a port and path such as "8000/health" nor an address')
    return Endpoint(port=_port(int(match[1])) if match[1] else None, path=_path(match[2] or "/"))


def _whole(label: str, container: Container) -> Endpoint:
    try:
        url = urlsplit(label)
        port = url.port
    except ValueError:
        raise ValueError("fks.health is no address") from None
    if url.scheme not in SCHEMES:
        raise ValueError(f"fks.health begins with none of {', '.join(SCHEMES)}")
    if url.username is not None or url.fragment:
        raise ValueError("fks.health holds more than an address")
    host = url.hostname or ""
    if host not in HERE and host not in own_names(container):
        raise ValueError("fks.health names another host than the container itself")
    port = port or SCHEMES[url.scheme]
    if port is None:
        raise ValueError("fks.health names no port")
    path = "" if url.scheme in {"tcp", "tls"} else url.path + (f"?{url.query}" if url.query else "")
    return Endpoint(url.scheme, _port(port), _path(path), None if host in HERE else host)


def own_names(container: Container) -> set[str]:
    """Return every name and address by which others may find a container."""
    names = {container.name, container.compose_service}
    for one in container.networks.values():
        names |= {one.address, *one.names}
    return {name.lower() for name in names if name}


def read_id(container: Container) -> str | None:
    """Return what a container is called among ours; None where its names do not serve."""
    number = container.labels.get("com.docker.compose.container-number", "1")
    service = container.compose_service
    wanted = f"{service}-{number}" if service and number.isdigit() and number != "1" else service or container.name
    return wanted if _ID.fullmatch(wanted) else None


def read_name(labels: Mapping[str, str]) -> str | None:
    name = labels.get("fks.name", "").strip()
    return name if name and name.isprintable() and len(name) <= LONGEST_NAME else None


def read_switch(label: str) -> bool:
    return label.strip().lower() in {"true", "1", "yes", "on"}


def is_oneoff(container: Container) -> bool:
    """Whether it was made by `docker compose run`."""
    return container.labels.get("com.docker.compose.oneoff", "").lower() == "true"


def read_needs(label: str) -> dict[str, bool]:
    """Read `com.docker.compose.depends_on`: "db:service_healthy:true,cache:service_started:false".

    True: Compose restarts this service whenever it restarts that one.
    """
    found = (_NEED.fullmatch(one.strip()) for one in label[: 64 * LONGEST].split(","))
    return {match[1]: match[2] == "true" for match in found if match}


def _port(number: int) -> int:
    if not 0 < number < 1 << 16:
        raise ValueError("fks.health names a port that cannot be")
    return number


def _path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise ValueError("fks.health names a path that is none")
    return path
