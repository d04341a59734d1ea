"""The book of rules: sees every change, judges once a second, and says as an event what begins and what is over.

1. What is known of a service is judged when it was checked, and as long as something is about to be said of it.
2. A condition must hold for its time before it is said. It is over as soon as it is seen not to hold; while that is not
   known, after a restart say, all stays as people were told.
3. What was said before a restart is read from the open alerts; the pipeline knows a repeat.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import msgspec

from fks_master.alerts.notice import Alert, Severity
from fks_master.alerts.rules.judge import JUDGES, Case, Check, Finding, Seen, occurrences
from fks_master.alerts.rules.rule import EVENT_TYPES, Rule, RuleKind
from fks_master.alerts.rules.slo import FAST, SEVERITIES, SLOW, Budget, Burn, Pace
from fks_master.docker.usage import Usage
from fks_master.model import Change, Event, EventType, Outcome, Result, Service, State

MOST_OCCURRENCES = 1000
KEEP_SECONDS = 900.0  # a budget that burns by fits and starts is one alert
ABOUT_SERVICES = {EVENT_TYPES[kind] for kind in JUDGES} | {EventType.ERROR_BUDGET_BURNING}
FAILED_JOBS = {"failed", "timed_out", "interrupted"}
OVER = {
    EventType.SERVICE_DEGRADED: "{} is no longer degraded",
    EventType.LATENCY_HIGH: "{} answers fast enough again",
    EventType.ERROR_RATE_HIGH: "{} no longer fails so often",
    EventType.CERTIFICATE_EXPIRING: "{} has a certificate that lasts",
    EventType.CRASH_LOOP: "The container of {} no longer crashes again and again",
    EventType.OUT_OF_MEMORY: "The container of {} has not run out of memory again",
    EventType.CPU_HIGH: "The container of {} uses less of the processor again",
    EventType.MEMORY_HIGH: "The container of {} uses less memory again",
    EventType.JOB_FAILED: "No Compose job of {} has failed lately",
    EventType.MONITOR_DEGRADED: "The monitor works as it should again",
    EventType.ERROR_BUDGET_BURNING: "{} no longer burns its error budget too fast",
}


class Sight(msgspec.Struct):
    """What the book looks at beside the changes; `unwell` says what the monitor itself lacks."""

    services: Callable[[], Mapping[str, Service]]
    states: Callable[[], Mapping[str, State]]
    alerts: Callable[[], Mapping[str, Alert]] = dict
    usage: Callable[[str], Usage | None] = lambda _: None
    unwell: Callable[[], str | None] = lambda: None


class Topic(msgspec.Struct, frozen=True):
    """One thing that can be said: by which rule, of whom, how gravely, and after how long; likewise its end."""

    event_type: EventType
    rule: str
    severity: Severity
    service: Service | None = None
    subject: str | None = None
    for_seconds: float = 0.0
    keep_seconds: float = 0.0

    @property
    def key(self) -> str:
        return f"{self.event_type}:{self.rule}:{self.service.id if self.service else self.subject or ''}"


class Held(msgspec.Struct, frozen=True):
    """What holds: since when, by the clock that never steps and by the wall's, and in words."""

    began: float
    since: datetime
    message: str


class RuleBook:
    """Owns what rules remember; `held` is what holds now, said or not yet.

    Seconds are on a clock that never steps; wall time is only written down.
    """

    def __init__(self, sight: Sight, rules: tuple[Rule, ...], now: float, wall: datetime) -> None:
        self._sight = sight
        self.rules = rules
        self._began = now
        self._offset = wall.timestamp() - now
        self._seen: dict[str, Seen] = {}
        self._touched: set[str] = set()
        self._times: dict[str, dict[str, deque[float]]] = {}
        self.held: dict[str, Held] = {}
        self._calm: dict[str, float] = {}
        self._said: dict[str, bool] = {}
        self._of: tuple[Mapping[str, Service], dict[str, list[Rule]]] | None = None
        self.budgets: dict[str, Budget] = {}

    def configure(self, rules: tuple[Rule, ...]) -> None:
        self.rules, self._of = rules, None
        self._forget(self._sight.services())

    def see(self, change: Change, now: float) -> None:
        if change.result is not None and change.state is not None and change.result.outcome is not Outcome.VOID:
            self._see_check(change.result, now)
        for event in change.events:
            self._see_event(event, now)

    def judge(self, now: float, wall: datetime) -> list[Event]:
        """Say what has begun or is over."""
        touched, self._touched = self._touched, set()
        pending = {key.rpartition(":")[2] for key in self.held if not self._said.get(key)}
        services, found = self._sight.services(), list[tuple[Topic, Finding]]()
        for service_id in sorted((touched | pending) & services.keys()):
            found += self._judge_service(services[service_id], now, wall)
        for rule in self.rules:
            found += self._judge_occurrences(rule, now)
            if rule.kind is RuleKind.MONITOR_DEGRADED:
                reason = self._sight.unwell()
                found.append((_topic(rule), Finding(reason is not None, f"The monitor is degraded: {reason}")))
        return [event for topic, finding in found for event in self._report(topic, finding, now, wall)]

    def moment(self, now: float) -> float:
        """Give a time near to wall time that never steps, for what is counted over days."""
        return now + self._offset

    def budget(self, service: Service) -> Budget | None:
        """Give the account of a service, opening it when there is an objective; a changed one begins anew."""
        known = self.budgets.get(service.id)
        if service.slo is None:
            self.budgets.pop(service.id, None)
            return None
        if known is None or (known.objective, known.interval_seconds) != (service.slo, service.interval_seconds):
            known = self.budgets[service.id] = Budget(service.slo, service.interval_seconds)
        return known

    def _see_check(self, result: Result, now: float) -> None:
        service = self._sight.services().get(result.service_id)
        if service is None:
            return
        ms = result.seconds * 1000 if result.outcome is Outcome.SUCCESS else None
        rules = self._rules_of(service)
        if rules:
            seen = self._seen.setdefault(service.id, Seen())
            seen.forget(now - max(rule.option("window_seconds") for rule in rules))
            seen.checks.append(Check(now, ms))
        budget = self.budget(service)
        if budget is not None:
            limit = budget.objective.latency_ms
            is_good = ms is not None and (limit is None or ms <= limit)
            budget.add(self.moment(now), int(is_good), int(not is_good))
        if rules or budget:
            self._touched.add(service.id)

    def _see_event(self, event: Event, now: float) -> None:
        kinds = _kinds_of(event)
        services = self._sight.services()
        service = services.get(event.service_id or "")
        for rule in self.rules:
            if rule.kind in kinds and (service is None or rule.is_about(service)):
                subject = event.service_id or str(event.data.get("project") or "")
                times = self._times.setdefault(rule.title, {})
                times.setdefault(subject, deque(maxlen=MOST_OCCURRENCES)).append(now)

    def _judge_service(self, service: Service, now: float, wall: datetime) -> Iterable[tuple[Topic, Finding]]:
        state, seen = self._sight.states()[service.id], self._seen.setdefault(service.id, Seen())
        seen.usage = self._sight.usage(service.id)
        case = Case(service, state, seen, now, wall)
        for rule in self._rules_of(service):
            yield _topic(rule, service), JUDGES[rule.kind](rule, case)
        budget = self.budget(service)
        if budget is None:
            return
        burn = budget.look(self.moment(now))
        for paces in (FAST, SLOW):
            name = paces[0].name
            topic = Topic(EventType.ERROR_BUDGET_BURNING, name, SEVERITIES[name], service, keep_seconds=KEEP_SECONDS)
            yield topic, _burning(service, burn, burn.pace(paces))

    def _judge_occurrences(self, rule: Rule, now: float) -> Iterable[tuple[Topic, Finding]]:
        if rule.kind not in {RuleKind.CRASH_LOOP, RuleKind.OUT_OF_MEMORY, RuleKind.JOB_FAILED}:
            return
        times = self._times.setdefault(rule.title, {})
        opened = (one.notice for one in self._sight.alerts().values() if one.notice.data.get("rule") == rule.title)
        for subject in sorted({*times, *(one.service_id or str(one.data.get("subject") or "") for one in opened)}):
            while times.get(subject) and times[subject][0] <= now - rule.option("window_seconds"):
                times[subject].popleft()
            is_project = rule.kind is RuleKind.JOB_FAILED  # which may be called as a service is
            service = None if is_project else self._sight.services().get(subject)
            name = service.name if service else subject
            finding = occurrences(rule, times.get(subject, ()), now, self._began, WORDS[rule.kind].format(name))
            if not times.get(subject):
                times.pop(subject, None)
            yield _topic(rule, service, subject), finding

    def _rules_of(self, service: Service) -> list[Rule]:
        """Give the rules that are judged by a service's checks; found once a configuration."""
        services = self._sight.services()
        if self._of is None or self._of[0] is not services:
            self._of = (services, {})
            self._seen = {id_: seen for id_, seen in self._seen.items() if id_ in services}
            self.budgets = {id_: budget for id_, budget in self.budgets.items() if id_ in services}
            self._forget(services)
        known = self._of[1]
        if service.id not in known:
            known[service.id] = [rule for rule in self.rules if rule.kind in JUDGES and rule.is_about(service)]
        return known[service.id]

    def _forget(self, services: Mapping[str, Service]) -> None:
        """Forget what was said by rules that are gone, or no longer about that service: they may come back."""
        keys = self._said.keys() | self.held.keys() | self._calm.keys()
        for event_type, title, subject in (key.split(":", 2) for key in keys):
            is_known = subject in services or event_type not in ABOUT_SERVICES
            if not is_known or not is_in_force(self.rules, event_type, title, services.get(subject)):
                for memory in (self._said, self.held, self._calm):
                    memory.pop(f"{event_type}:{title}:{subject}", None)

    def _report(self, topic: Topic, finding: Finding, now: float, wall: datetime) -> Iterable[Event]:
        """Say it if it has held for its time and is not said yet, or if it was said and is over."""
        key = topic.key
        if finding.holds is None:
            return
        is_said = self._said.get(key)
        if is_said is None:
            is_said = (alert := self._sight.alerts().get(key)) is not None and alert.notice.is_firing
        if finding.holds:
            self._calm.pop(key, None)
            known = self.held.get(key)
            began, since = (known.began, known.since) if known else (now, wall)
            self.held[key] = Held(began, since, finding.message)
            if not is_said and now - began >= topic.for_seconds:
                self._said[key] = True
                yield _event(topic, finding, wall)
            return
        self.held.pop(key, None)
        if is_said and now - self._calm.setdefault(key, now) >= topic.keep_seconds:
            self._said[key] = False
            del self._calm[key]
            yield _event(topic, finding, wall)


def is_in_force(rules: Iterable[Rule], event_type: str, title: str, service: Service | None) -> bool:
    """Whether there is a rule that may say this of a service, or of something else where that is None."""
    if event_type == EventType.ERROR_BUDGET_BURNING:
        return service is not None and service.slo is not None
    fitting = (rule for rule in rules if rule.title == title and EVENT_TYPES[rule.kind] == event_type)
    return any(service is None or rule.is_about(service) for rule in fitting)


WORDS = {
    RuleKind.CRASH_LOOP: "The container of {} crashes again and again",
    RuleKind.OUT_OF_MEMORY: "The container of {} ran out of memory",
    RuleKind.JOB_FAILED: "A Compose job of {} failed",
}


def _topic(rule: Rule, service: Service | None = None, subject: str | None = None) -> Topic:
    event_type, wait = EVENT_TYPES[rule.kind], rule.option("for_seconds")
    return Topic(event_type, rule.title, rule.severity, service, None if service else subject, wait)


def _kinds_of(event: Event) -> set[RuleKind]:
    """Say which rules count an event."""
    if event.event_type is EventType.COMPOSE_FINISHED:
        return {RuleKind.JOB_FAILED} if event.data.get("state") in FAILED_JOBS else set()
    if event.event_type is not EventType.CONTAINER_DIED:
        return set()
    memory = {RuleKind.OUT_OF_MEMORY} if event.data.get("oom_killed") else set()
    return memory if event.data.get("was_stopped") else {RuleKind.CRASH_LOOP, *memory}


def _burning(service: Service, burn: Burn, pace: Pace | None) -> Finding:
    if pace is None:
        return Finding(holds=False)
    rate, left = round(burn.rates[pace.long_seconds], 1), round(100 * burn.remaining, 1)
    message = f"{service.name} burns its error budget {rate:g} times too fast; {left:g} % of it is left"
    window = {"long_window_seconds": pace.long_seconds, "short_window_seconds": pace.short_seconds}
    data: dict[str, object] = {"pace": pace.name, "burn_rate": rate, "budget_left_percent": left, **window}
    return Finding(holds=True, message=message, data=data)


def _event(topic: Topic, finding: Finding, wall: datetime) -> Event:
    service, is_firing = topic.service, bool(finding.holds)
    name = service.name if service else topic.subject or ""
    message = finding.message if is_firing else OVER[topic.event_type].format(name)
    said: dict[str, object] = {
        "rule": topic.rule,
        "is_firing": is_firing,
        "severity": topic.severity.value,
        "critical": bool(service and service.critical),
    }
    subject: dict[str, object] = {"subject": topic.subject} if topic.subject else {}
    return Event(topic.event_type, message, wall, service.id if service else None, {**finding.data, **said, **subject})
