"""The sheet: what is in force, in words, and of whom it holds or is about to be said."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from fks_master.alerts.notice import Alert, Severity
from fks_master.alerts.rules.book import Held, RuleBook
from fks_master.alerts.rules.judge import JUDGES
from fks_master.alerts.rules.rule import EVENT_TYPES, FIELDS, Rule, RuleKind
from fks_master.alerts.rules.slo import FAST, SEVERITIES, SLOW, Pace
from fks_master.model import EventType, Policy, Service, State


class RuleState(StrEnum):
    """Whether it holds of anybody: nobody, not yet for long enough, or so that it is an alert."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"


class Symptom(msgspec.Struct, frozen=True):
    """One of whom a rule holds: a service, or what `subject` names. `alert_id` is that of the open alert, if any."""

    service_id: str | None
    subject: str | None
    state: RuleState
    since: datetime | None
    message: str
    alert_id: str | None = None


class RuleLine(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. `severity` is null where it is that of the service: critical for critical ones, else warning.

    `services` and `where` say of whom it is judged (empty: of all), `watched` how many services that is; null where it
    is not about services. `is_built_in` says that it needs no table of its own.
    """

    name: str
    kind: str
    event_type: EventType
    severity: Severity | None
    condition: str
    for_seconds: float = 0.0
    services: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    watched: int | None = None
    is_built_in: bool = False
    state: RuleState = RuleState.INACTIVE
    about: tuple[Symptom, ...] = ()


class Facts(msgspec.Struct, frozen=True):
    """What the sheet is read from."""

    services: Mapping[str, Service]
    states: Mapping[str, State]
    alerts: Mapping[str, Alert]
    policy: Policy


def sheet(book: RuleBook, facts: Facts) -> list[RuleLine]:
    """Give every rule: those that always hold, objectives, and those of the config."""
    own = [_of_config(rule, facts, book.held) for rule in book.rules]
    budgets = [_of_budget(paces, facts, book.held) for paces in (FAST, SLOW)] if book.budgets else []
    return [_stated(line) for line in (*_built_in(facts), *budgets, *own)]


def _stated(line: RuleLine) -> RuleLine:
    states = {one.state for one in line.about}
    ranked = (RuleState.FIRING, RuleState.PENDING, RuleState.INACTIVE)
    return msgspec.structs.replace(line, state=next((one for one in ranked if one in states), RuleState.INACTIVE))


def _built_in(facts: Facts) -> Iterator[RuleLine]:
    policy, count = facts.policy, len(facts.services)
    in_a_row = f"{policy.failure_threshold} checks in a row"
    yield RuleLine(
        name="down", kind="down", event_type=EventType.SERVICE_DOWN, severity=None, is_built_in=True, watched=count,
        condition=f"{in_a_row} fail", about=(*_firing(facts, EventType.SERVICE_DOWN), *_failing(facts)),
    )  # fmt: skip
    yield RuleLine(
        name="high_latency", kind="high_latency", event_type=EventType.HIGH_LATENCY, severity=Severity.WARNING,
        is_built_in=True, watched=count, condition=f"{in_a_row} take longer than {policy.high_latency_ms:g} ms",
        about=(*_firing(facts, EventType.HIGH_LATENCY), *_slow(facts)),
    )  # fmt: skip
    yield RuleLine(
        name="flapping", kind="flapping", event_type=EventType.SERVICE_FLAPPING, severity=Severity.WARNING,
        is_built_in=True, watched=count, condition="goes up and down again and again",
        about=tuple(_firing(facts, EventType.SERVICE_FLAPPING)),
    )  # fmt: skip
    yield RuleLine(
        name="isolated", kind="isolated", event_type=EventType.SYSTEM_ALERT, severity=Severity.CRITICAL,
        is_built_in=True, condition="no service elsewhere gives any answer, or no name can be resolved",
        about=tuple(_firing(facts, EventType.SYSTEM_ALERT)),
    )  # fmt: skip


def _of_budget(paces: tuple[Pace, ...], facts: Facts, held: Mapping[str, Held]) -> RuleLine:
    name, kind = paces[0].name, EventType.ERROR_BUDGET_BURNING
    words = " or ".join(f"{one.rate:g} times over {_span(one.long_seconds)}" for one in paces)
    return RuleLine(
        name=name, kind="error_budget", event_type=kind, severity=SEVERITIES[name], is_built_in=True,
        condition=f"the error budget burns too fast: {words}", about=tuple(_about(kind, name, facts, held)),
        watched=sum(service.slo is not None for service in facts.services.values()),
    )  # fmt: skip


def _of_config(rule: Rule, facts: Facts, held: Mapping[str, Held]) -> RuleLine:
    event_type = EVENT_TYPES[rule.kind]
    is_about_services = rule.kind in JUDGES or rule.kind in {RuleKind.CRASH_LOOP, RuleKind.OUT_OF_MEMORY}
    watched = sum(rule.is_about(service) for service in facts.services.values()) if is_about_services else None
    return RuleLine(
        name=rule.title, kind=rule.kind.value, event_type=event_type, severity=rule.severity,
        condition=condition(rule), for_seconds=rule.option("for_seconds"), services=rule.services, where=rule.where,
        watched=watched, about=tuple(_about(event_type, rule.title, facts, held)),
    )  # fmt: skip


_CONDITIONS = {
    RuleKind.DEGRADED: "is degraded",
    RuleKind.LATENCY: "the {percentile:g}th percentile of its answers within {window} is above {above_ms:g} ms",
    RuleKind.ERROR_RATE: "more than {above_percent:g} % of its checks within {window} fail",
    RuleKind.CERTIFICATE: "its certificate expires within {below_days:g} days",
    RuleKind.CRASH_LOOP: "its container dies {count:g} times within {window}",
    RuleKind.OUT_OF_MEMORY: "its container runs out of memory {count:g} times within {window}",
    RuleKind.CPU: "its container uses more than {above_percent:g} % of the processor time that it may",
    RuleKind.MEMORY: "its container uses more than {above_percent:g} % of the memory that it may",
    RuleKind.JOB_FAILED: "{count:g} Compose jobs of ours fail within {window}",
    RuleKind.MONITOR_DEGRADED: "the monitor does not work as it should",
}


def condition(rule: Rule) -> str:
    """Say in words when a rule holds."""
    values: dict[str, object] = {name: rule.option(name) for name in FIELDS[rule.kind]}
    return _CONDITIONS[rule.kind].format(**values, window=_span(rule.option("window_seconds")))


def _span(seconds: float) -> str:
    if seconds % 3600 == 0:
        return f"{seconds / 3600:g} h"
    return f"{seconds / 60:g} min" if seconds % 60 == 0 else f"{seconds:g} s"


def _about(kind: EventType, name: str, facts: Facts, held: Mapping[str, Held]) -> Iterator[Symptom]:
    yield from _firing(facts, kind, name)
    for key, one in held.items():
        event_type, title, subject = key.split(":", 2)
        if (event_type, title) == (kind, name) and key not in facts.alerts:
            service_id = subject if subject in facts.services else None
            other = None if service_id else subject or None
            yield Symptom(service_id, other, RuleState.PENDING, one.since, one.message)


def _firing(facts: Facts, kind: EventType, name: str | None = None) -> Iterator[Symptom]:
    for alert in _open(facts.alerts.values(), kind):
        if name is None or alert.notice.data.get("rule") == name:
            other = alert.notice.data.get("subject")
            subject = str(other) if other else None
            yield Symptom(alert.service_id, subject, RuleState.FIRING, alert.began, alert.notice.message, alert.key)


def _open(alerts: Iterable[Alert], kind: EventType) -> Iterator[Alert]:
    return (one for one in alerts if one.notice.event_type == kind and one.notice.is_firing)


def _failing(facts: Facts) -> Iterator[Symptom]:
    for state in facts.states.values():
        if state.failures and not state.is_down:
            said = f": {state.last.message}" if state.last and state.last.message else ""
            message = f"{state.failures} of {facts.policy.failure_threshold} checks failed{said}"
            yield Symptom(state.service_id, None, RuleState.PENDING, state.failing_since, message)


def _slow(facts: Facts) -> Iterator[Symptom]:
    for state in facts.states.values():
        if state.slow_checks and not state.is_slow:
            message = f"{state.slow_checks} of {facts.policy.failure_threshold} checks were slow"
            yield Symptom(state.service_id, None, RuleState.PENDING, None, message)
