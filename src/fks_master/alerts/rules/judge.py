"""Judging: from what was seen of a service to a finding. Nothing here knows a clock, and not seeing is not failing."""

import math
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from fks_master.alerts.rules.rule import Rule, RuleKind
from fks_master.docker.usage import MEBIBYTE, Usage
from fks_master.model import Service, State, Status

FEWEST_CHECKS = 5
MOST_CHECKS = 5000
CORE_PERCENT = 100.0


class Finding(msgspec.Struct, frozen=True):
    """Whether a condition holds (None: not known, so that all stays as it was), in words and figures."""

    holds: bool | None
    message: str = ""
    data: dict[str, object] = {}


class Check(msgspec.Struct, frozen=True):
    """One check: when, on a clock that never steps, and how many milliseconds it took; None if it failed."""

    at: float
    ms: float | None


class Seen(msgspec.Struct):
    """What was seen of a service lately; `checks` reaches back as far as the longest window."""

    checks: deque[Check] = msgspec.field(default_factory=lambda: deque(maxlen=MOST_CHECKS))
    usage: Usage | None = None

    def within(self, seconds: float, now: float) -> list[Check]:
        return [check for check in self.checks if check.at > now - seconds]

    def forget(self, before: float) -> None:
        while self.checks and self.checks[0].at <= before:
            self.checks.popleft()


class Case(msgspec.Struct, frozen=True):
    """One service at one moment; `now` is on a clock that never steps."""

    service: Service
    state: State
    seen: Seen
    now: float
    wall: datetime


Judge = Callable[[Rule, Case], Finding]


def degraded(_: Rule, case: Case) -> Finding:
    """Judge a service that answers; what fails altogether is not over, but worse."""
    why = f": {case.state.last.message}" if case.state.last and case.state.last.message else ""
    is_known = case.state.is_confirmed and case.state.status in {Status.HEALTHY, Status.DEGRADED}
    holds = case.state.status is Status.DEGRADED if is_known else None
    return Finding(holds, f"{case.service.name} is degraded{why}")


def latency(rule: Rule, case: Case) -> Finding:
    window, share = rule.option("window_seconds"), rule.option("percentile")
    times = sorted(check.ms for check in case.seen.within(window, case.now) if check.ms is not None)
    if len(times) < FEWEST_CHECKS:
        return Finding(None)
    found = round(times[math.ceil(share / 100 * len(times)) - 1], 1)
    message = f"{case.service.name} is slow: {share:g} % of its answers take up to {found:g} ms"
    data: dict[str, object] = {"response_time_ms": found, "threshold_ms": rule.option("above_ms"), "percentile": share}
    return Finding(found > rule.option("above_ms"), message, data)


def error_rate(rule: Rule, case: Case) -> Finding:
    checks = case.seen.within(rule.option("window_seconds"), case.now)
    if len(checks) < FEWEST_CHECKS:
        return Finding(None)
    failed = sum(check.ms is None for check in checks)
    percent = round(100 * failed / len(checks), 1)
    message = f"{case.service.name} fails {percent:g} % of its checks ({failed} of the last {len(checks)})"
    data: dict[str, object] = {"error_percent": percent, "failures": failed, "checks": len(checks)}
    return Finding(percent > rule.option("above_percent"), message, data)


def certificate(rule: Rule, case: Case) -> Finding:
    shown = case.state.last.certificate if case.state.last else None
    if shown is None:
        return Finding(None)
    days = round(shown.days_left(case.wall), 1)
    message = f"The certificate of {case.service.name} {f'expires in {days:g} days' if days > 0 else 'has expired'}"
    data: dict[str, object] = {"days_left": days, "expires": shown.expires, "subject": shown.subject}
    return Finding(days < rule.option("below_days"), message, data)


def cpu(rule: Rule, case: Case) -> Finding:
    """Judge the share of the cores that it may use: its own limit, else all that the machine has."""
    used = case.seen.usage.cpu_percent if case.seen.usage else None
    allowed = case.seen.usage.cores_allowed if case.seen.usage else None
    if used is None or not allowed:
        return Finding(None)
    percent, cores = round(used / allowed, 1), round(used / CORE_PERCENT, 2)
    words = f"{percent:g} % of the processor time that it may ({cores:g} of {allowed:g} cores)"
    data: dict[str, object] = {"cpu_percent": percent, "cores_used": cores, "cores_allowed": allowed}
    return Finding(percent > rule.option("above_percent"), f"The container of {case.service.name} uses {words}", data)


def memory(rule: Rule, case: Case) -> Finding:
    used = case.seen.usage.memory_bytes if case.seen.usage else None
    limit = case.seen.usage.memory_limit_bytes if case.seen.usage else None
    if used is None or not limit:
        return Finding(None)
    percent = round(100 * used / limit, 1)
    sizes = f"{used / MEBIBYTE:.0f} of {limit / MEBIBYTE:.0f} MiB"
    message = f"The container of {case.service.name} uses {percent:g} % of the memory that it may ({sizes})"
    data: dict[str, object] = {"memory_percent": percent, "memory_bytes": used, "limit_bytes": limit}
    return Finding(percent > rule.option("above_percent"), message, data)


# Kinds that are judged by a service's checks and figures; the others count events, or look at ourselves.
JUDGES: dict[RuleKind, Judge] = {
    RuleKind.DEGRADED: degraded,
    RuleKind.LATENCY: latency,
    RuleKind.ERROR_RATE: error_rate,
    RuleKind.CERTIFICATE: certificate,
    RuleKind.CPU: cpu,
    RuleKind.MEMORY: memory,
}


def occurrences(rule: Rule, times: Iterable[float], now: float, since: float, words: str) -> Finding:
    """Judge how often something happened. Less is known than the window wants if we have not listened for that long."""
    window, wanted = rule.option("window_seconds"), int(rule.option("count"))
    found = sum(at > now - window for at in times)
    if found < wanted and now - since < window:
        return Finding(None)
    often = f", {found} times in {window / 60:g} minutes" if found > 1 else ""
    return Finding(found >= wanted, f"{words}{often}", {"count": found, "window_seconds": window})
