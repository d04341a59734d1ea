"""A container and what happens to it, read from the daemon's answers, of which nothing is taken for granted."""

import ipaddress
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec

from fks_master.errors import DockerError

KINDS = (
    *("create", "start", "die", "oom", "kill", "stop", "restart"),
    *("pause", "unpause", "rename", "health_status", "destroy"),
)

LONGEST_WORDS = 200

_ID = re.compile(r"[a-f0-9]{12,64}")
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}")
_COMES_BACK = {"always", "unless-stopped", "on-failure"}

CPU_PERIOD = 100_000  # microseconds, where none is said
MOST_CPU = 2**62


class Attachment(msgspec.Struct, frozen=True):
    """A container in one network: its address there, if it runs, and the names under which others find it."""

    address: str = ""
    names: tuple[str, ...] = ()


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """What Docker knows of a container.

    `state` and `health` are Docker's own words, `health_message` what the last check of its health said at the end,
    `image_id` the image's digest. `comes_back` says that Docker itself starts it again after a crash. `ports` are those
    published: inside, outside. `created_at` is since when it is made from this image; a limit that is not set is None.
    """

    id: str
    name: str
    image: str
    image_id: str = ""
    state: str
    labels: Mapping[str, str] = {}
    health: str | None = None
    health_message: str | None = None
    exit_code: int | None = None
    oom_killed: bool = False
    restart_count: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    comes_back: bool = False
    created_at: datetime | None = None
    memory_limit_bytes: int | None = None
    cpu_limit: float | None = None
    networks: Mapping[str, Attachment] = {}
    ports: Mapping[int, tuple[str, int]] = {}
    is_on_host_network: bool = False

    @property
    def is_running(self) -> bool:
        return self.state == "running"

    @property
    def project(self) -> str:
        return self.labels.get("com.docker.compose.project", "")

    @property
    def compose_service(self) -> str:
        return self.labels.get("com.docker.compose.service", "")


class ContainerEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a container: one of KINDS. `nano` is Docker's clock, in nanoseconds since 1970."""

    kind: str
    container_id: str
    name: str
    nano: int = 0
    exit_code: int | None = None
    signal: int | None = None

    @property
    def at(self) -> float:
        """Return the same in Unix seconds."""
        return self.nano / 1e9


def checked_name(name: str) -> str:
    """Return the name or id of a container as it may stand in an address. Raises DockerError."""
    if not _NAME.fullmatch(name):
        raise DockerError(f"{name[:80]!r} is not the name of a container")
    return name


def read_container(data: object) -> Container:
    """Read an answer of `/containers/{id}/json`. Raises DockerError for what is none."""
    found, state, config = table(data), table(table(data).get("State")), table(table(data).get("Config"))
    host = table(found.get("HostConfig"))
    id_ = text(found.get("Id"))
    if not _ID.fullmatch(id_):
        raise DockerError("Docker's answer about a container cannot be read")
    status = text(state.get("Status")) or "unknown"
    return Container(
        id=id_,
        name=text(found.get("Name")).lstrip("/"),
        image=text(config.get("Image")),
        image_id=text(found.get("Image")),
        state=status,
        labels={name: text(value) for name, value in table(config.get("Labels")).items()},
        health=text(table(state.get("Health")).get("Status")) or None,
        health_message=_last_words(table(state.get("Health"))),
        exit_code=whole(state.get("ExitCode")) if status in {"exited", "dead"} else None,
        oom_killed=state.get("OOMKilled") is True,
        restart_count=whole(found.get("RestartCount")) or 0,
        started_at=_moment(text(state.get("StartedAt"))),
        finished_at=_moment(text(state.get("FinishedAt"))),
        comes_back=text(table(host.get("RestartPolicy")).get("Name")) in _COMES_BACK,
        created_at=_moment(text(found.get("Created"))),
        memory_limit_bytes=whole(host.get("Memory")) or None,
        cpu_limit=_cpu_limit(host),
        networks=_networks(found, config),
        ports=_ports(table(table(found.get("NetworkSettings")).get("Ports"))),
        is_on_host_network=host.get("NetworkMode") == "host",
    )


def read_event(data: object) -> ContainerEvent | None:
    """Read one event; None for what is about no container of ours to know. The old top-level fields are not read."""
    event, actor = table(data), table(table(data).get("Actor"))
    attributes = table(actor.get("Attributes"))
    kind = text(event.get("Action")).partition(":")[0]
    id_ = text(actor.get("ID"))
    if event.get("Type") != "container" or kind not in KINDS or not _ID.fullmatch(id_):
        return None
    return ContainerEvent(
        kind=kind,
        container_id=id_,
        name=text(attributes.get("name")),
        nano=whole(event.get("timeNano")) or 0,
        exit_code=whole(attributes.get("exitCode")),
        signal=whole(attributes.get("signal")),
    )


def table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def whole(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _cpu_limit(host: Mapping[str, Any]) -> float | None:
    """Give how many cores it may use: `--cpus`, the older quota by period, and the cores it is pinned to."""
    nano, quota, period = (min(whole(host.get(name)) or 0, MOST_CPU) for name in ("NanoCpus", "CpuQuota", "CpuPeriod"))
    limits = [nano / 1e9, quota / (period or CPU_PERIOD), float(_pinned(text(host.get("CpusetCpus"))))]
    return min((limit for limit in limits if limit > 0), default=None)


def _pinned(cores: str) -> int:
    """Count the cores in a list such as "0-2,7"."""
    found = 0
    for part in filter(None, cores.split(",")):
        first, _, last = part.partition("-")
        begin, end = whole(first), whole(last or first)
        found += max(0, end - begin + 1) if begin is not None and end is not None else 0
    return found


def _last_words(health: Mapping[str, Any]) -> str | None:
    """Give the end of what the last run of a container's health check wrote, in one short line."""
    log = health.get("Log")
    said = text(table(log[-1]).get("Output")) if isinstance(log, list) and log else ""
    return " ".join(said.split())[-LONGEST_WORDS:] or None


def _networks(found: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Attachment]:
    hostname = text(config.get("Hostname"))
    attached = table(table(found.get("NetworkSettings")).get("Networks"))
    return {name: _attachment(table(one), hostname) for name, one in attached.items()}


def _attachment(one: Mapping[str, Any], hostname: str) -> Attachment:
    aliases = one.get("Aliases")
    names = [text(alias) for alias in aliases] if isinstance(aliases, list) else []
    return Attachment(_address(text(one.get("IPAddress"))), tuple(name for name in (*names, hostname) if name))


def _address(address: str) -> str:
    with suppress(ValueError):
        return str(ipaddress.ip_address(address))
    return ""


def _ports(published: Mapping[str, Any]) -> dict[int, tuple[str, int]]:
    """Read `{"8000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "18000"}]}`; the first binding of each counts."""
    found: dict[int, tuple[str, int]] = {}
    for inside, bindings in published.items():
        port, _, protocol = inside.partition("/")
        first = table(bindings[0]) if isinstance(bindings, list) and bindings else {}
        outside = whole(first.get("HostPort"))
        if protocol == "tcp" and (number := whole(port)) and outside:
            found[number] = (_address(text(first.get("HostIp"))), outside)
    return found


def _moment(time: str) -> datetime | None:
    """Read Docker's time; year 1 means never."""
    if not time or time.startswith("0001"):
        return None
    with suppress(ValueError):
        return datetime.fromisoformat(time[:26].rstrip("Z")).replace(tzinfo=UTC)
    return None
