"""What a container uses, from an answer of Docker's `stats` and the reading before it."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

MEBIBYTE = 1024 * 1024


class Usage(msgspec.Struct, frozen=True):
    """Figures of one container; None where Docker gives none, such as the network of a container on the host's.

    `cpu_percent` is of one core: two busy cores are 200. Memory is without the page cache, as `docker stats` has it.
    Network and block I/O count since the container started. `cores` is how many the machine has, `cpu_limit` how many
    of them the container was given; memory that is not limited has the machine's as its limit.
    """

    cpu_percent: float | None = None
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None
    network_in_bytes: int | None = None
    network_out_bytes: int | None = None
    block_read_bytes: int | None = None
    block_write_bytes: int | None = None
    cores: int | None = None
    cpu_limit: float | None = None

    @property
    def cores_allowed(self) -> float | None:
        """How many cores the container may use: its limit, else all there are."""
        limits = [float(limit) for limit in (self.cpu_limit, self.cores) if limit]
        return min(limits, default=None)

    @property
    def memory_mebibytes(self) -> float | None:
        return None if self.memory_bytes is None else round(self.memory_bytes / MEBIBYTE, 2)


def usage_of(stats: object) -> Usage:
    """Read an answer of `/containers/{id}/stats`; whatever is missing or odd in it is unknown, never an error.

    Source of the formulas: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerStats
    """
    memory = _table(_table(stats).get("memory_stats"))
    networks = [_table(one) for one in _table(_table(stats).get("networks")).values()]
    block = _table(_table(stats).get("blkio_stats")).get("io_service_bytes_recursive")
    operations = [_table(one) for one in block] if isinstance(block, list) else []
    return Usage(
        _cpu_percent(_table(stats)),
        _memory(memory),
        _count(memory.get("limit")),
        _sum(one.get("rx_bytes") for one in networks),
        _sum(one.get("tx_bytes") for one in networks),
        _sum(one.get("value") for one in operations if str(one.get("op")).lower() == "read"),
        _sum(one.get("value") for one in operations if str(one.get("op")).lower() == "write"),
        _cores(_table(_table(stats).get("cpu_stats"))),
    )


def with_reading_before(stats: Mapping[str, Any], before: object) -> Mapping[str, Any]:
    """Put an earlier reading beside a single one; what already holds two, as an older Docker answers, stays."""
    if _table(stats.get("precpu_stats")).get("system_cpu_usage"):
        return stats
    return {**stats, "precpu_stats": before}


def _cpu_percent(stats: Mapping[str, Any]) -> float | None:
    now, before = _table(stats.get("cpu_stats")), _table(stats.get("precpu_stats"))
    used = _growth(_table(now.get("cpu_usage")).get("total_usage"), _table(before.get("cpu_usage")).get("total_usage"))
    passed = _growth(now.get("system_cpu_usage"), before.get("system_cpu_usage"))
    cores = _cores(now)
    if used is None or not passed or not cores:
        return None
    return round(used / passed * cores * 100, 2)


def _cores(cpu: Mapping[str, Any]) -> int | None:
    each = _table(cpu.get("cpu_usage")).get("percpu_usage")
    return _count(cpu.get("online_cpus")) or (len(each) if isinstance(each, list) else None)


def _memory(memory: Mapping[str, Any]) -> int | None:
    """Take what the page cache holds off: `total_inactive_file` is its name in cgroup v1, `inactive_file` in v2."""
    used, parts = _count(memory.get("usage")), _table(memory.get("stats"))
    cache = _count(parts.get("total_inactive_file", parts.get("inactive_file"))) or 0
    return None if used is None else max(0, used - cache)


def _growth(now: object, before: object) -> int | None:
    """Return None for a counter that began anew."""
    later, earlier = _count(now), _count(before)
    if later is None or earlier is None or later < earlier or earlier == 0:
        return None
    return later - earlier


def _sum(values: Iterable[object]) -> int | None:
    found = [count for value in values if (count := _count(value)) is not None]
    return sum(found) if found else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
