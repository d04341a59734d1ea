"""Rules in virtual time: what is seen of services, and what is said of it when."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from fks_master.alerts.notice import Alert
from fks_master.alerts.pipeline import Pipeline, Wishes, key_of
from fks_master.alerts.rules import Rule, RuleBook, RuleKind, Sight
from fks_master.alerts.rules.slo import Budget
from fks_master.alerts.world import World
from fks_master.docker.usage import Usage
from fks_master.model import (
    Certificate,
    Change,
    Event,
    EventType,
    Objective,
    Outcome,
    Reason,
    Result,
    Service,
    State,
    Status,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, DAY = 3600, 86400
SERVICE = Service("api", "Api", "http://api/", interval_seconds=10, critical=True)
replace = msgspec.structs.replace


class Play:
    """One book, whose seconds are moved by hand."""

    def __init__(self, *rules: Rule, service: Service = SERVICE) -> None:
        self.rules = rules
        self.services = {service.id: service}
        self.states = {service.id: State(service.id, Status.HEALTHY)}
        self.alerts: dict[str, Alert] = {}
        self.usage: Usage | None = None
        self.unwell: str | None = None
        self.now = 0.0
        self.said: list[Event] = []
        self.begin()

    def begin(self) -> None:
        sight = Sight(
            lambda: self.services, lambda: self.states, lambda: self.alerts, lambda _: self.usage, lambda: self.unwell
        )
        self.book = RuleBook(sight, self.rules, self.now, START + timedelta(seconds=self.now))
        self.pipeline = Pipeline(World(lambda: self.services, lambda: self.states, rules=self.rules), ())

    def configure(self, *rules: Rule) -> None:
        self.rules = rules
        self.book.configure(rules)
        self.pipeline.configure(Wishes(rules=rules))

    def wait(self, seconds: float) -> list[tuple[str, bool]]:
        return self._judged(range(int(seconds)))

    def _judged(self, seconds: Iterable[int]) -> list[tuple[str, bool]]:
        told = []
        for _ in seconds:
            self.now += 1
            for event in self.book.judge(self.now, START + timedelta(seconds=self.now)):
                self.said.append(event)
                told.append((event.event_type.value, bool(event.data["is_firing"])))
                self._keep(event)
        return told

    def _keep(self, event: Event) -> None:
        self.pipeline.take(replace(event, id=len(self.said)), START)
        self.alerts.clear()
        self.alerts.update(self.pipeline.alerts)
        assert (key_of(event) in self.alerts) is event.data["is_firing"]

    def check(self, ms: float | None = 10.0, count: int = 1, **more: object) -> list[tuple[str, bool]]:
        """Let checks come at the service's interval."""
        told = []
        service = next(iter(self.services.values()))
        for _ in range(count):
            outcome = Outcome.FAILURE if ms is None else Outcome.SUCCESS
            reason = Reason.REFUSED if ms is None else None
            result = Result(service.id, outcome, START, (ms or 0.0) / 1000, reason, **more)  # type: ignore[arg-type]
            status = Status.UNHEALTHY if ms is None else Status.DEGRADED if result.degraded else Status.HEALTHY
            self.states[service.id] = replace(self.states[service.id], status=status, last=result)
            self.book.see(Change(self.states[service.id], None, (), result), self.now)
            told += self.wait(service.interval_seconds)
        return told

    def event(self, kind: EventType, **data: object) -> list[tuple[str, bool]]:
        named = None if "project" in data else "api"
        self.book.see(Change(None, None, (Event(kind, "", START, named, data),)), self.now)
        return self.wait(1)


def test_degraded_is_said_after_its_time_and_when_it_is_over() -> None:
    play = Play(Rule(kind=RuleKind.DEGRADED, for_seconds=60))
    assert play.check(degraded=True, count=6) == []
    assert play.check(degraded=True, count=2) == [("ServiceDegraded", True)]
    assert play.check(count=3) == [("ServiceDegraded", False)]
    assert play.check(degraded=True, count=5) + play.check() == []


def test_degraded_is_not_over_because_it_fails_altogether() -> None:
    play = Play(Rule(kind=RuleKind.DEGRADED, for_seconds=0))
    assert play.check(degraded=True) == [("ServiceDegraded", True)]
    assert play.check(None, 3) + play.check(degraded=True) == []
    assert play.check() == [("ServiceDegraded", False)]


def test_a_rule_that_was_taken_away_begins_to_count_anew_when_it_is_back() -> None:
    play = Play(Rule(kind=RuleKind.DEGRADED, for_seconds=60))
    assert play.check(degraded=True, count=5) == []
    play.configure()
    assert play.check(degraded=True, count=5) == []
    play.configure(Rule(kind=RuleKind.DEGRADED, for_seconds=60))
    assert play.check(degraded=True, count=6) == []
    assert play.check(degraded=True) == [("ServiceDegraded", True)]


def test_what_a_rule_said_of_a_service_ends_when_it_is_no_longer_about_it() -> None:
    play = Play(Rule(kind=RuleKind.DEGRADED, for_seconds=0))
    assert play.check(degraded=True) == [("ServiceDegraded", True)]
    play.configure(Rule(kind=RuleKind.DEGRADED, for_seconds=0, services=("web",)))
    play.pipeline.tick(START)
    assert (play.pipeline.alerts, play.pipeline.ended) == ({}, [])
    play.configure(Rule(kind=RuleKind.DEGRADED, for_seconds=0))
    play.alerts.clear()
    assert play.check(degraded=True) == [("ServiceDegraded", True)]


def test_an_objective_that_is_given_up_ends_what_was_said_of_its_budget() -> None:
    play = Play(service=replace(SERVICE, slo=Objective(objective_percent=99.9)))
    assert play.check(None, 10) == [("ErrorBudgetBurning", True)]
    play.services = {"api": SERVICE}
    play.pipeline.tick(START)
    assert play.pipeline.alerts == {}


def test_a_percentile_needs_some_checks_and_hears_of_its_window_alone() -> None:
    play = Play(Rule(kind=RuleKind.LATENCY, above_ms=500, percentile=80, window_seconds=100))
    assert play.check(900, 4) == []
    assert play.check(900) == [("LatencyHigh", True)]
    assert play.said[-1].data["response_time_ms"] == 900
    assert play.check(10, 20) == [("LatencyHigh", False)]
    assert play.check(None, 30) == []


def test_the_share_of_failed_checks() -> None:
    play = Play(Rule(kind=RuleKind.ERROR_RATE, above_percent=20, window_seconds=100))
    assert play.check(count=10) + play.check(None, 2) == []
    assert play.check(None) == [("ErrorRateHigh", True)]
    assert "30 %" in play.said[-1].message
    assert play.check(count=10) == [("ErrorRateHigh", False)]


def test_a_certificate_that_ends_soon() -> None:
    play = Play(Rule(kind=RuleKind.CERTIFICATE, below_days=14))
    shown = Certificate("api", "ca", START, START + timedelta(days=10))
    assert play.check(certificate=shown) == [("CertificateExpiring", True)]
    assert play.check() == []  # not seen is not renewed
    assert play.check(certificate=replace(shown, expires=START + timedelta(days=90))) == [
        ("CertificateExpiring", False)
    ]


def test_a_container_that_dies_again_and_again_or_of_hunger() -> None:
    play = Play(Rule(kind=RuleKind.CRASH_LOOP), Rule(kind=RuleKind.OUT_OF_MEMORY))
    assert play.event(EventType.CONTAINER_DIED) + play.event(EventType.CONTAINER_DIED) == []
    assert play.event(EventType.CONTAINER_DIED, was_stopped=True) == []
    assert play.event(EventType.CONTAINER_DIED, oom_killed=True) == [("CrashLoop", True), ("OutOfMemory", True)]
    assert play.wait(590) == []
    assert sorted(play.wait(20)) == [("CrashLoop", False), ("OutOfMemory", False)]


def test_processor_and_memory_by_what_docker_measures() -> None:
    play = Play(Rule(kind=RuleKind.CPU, for_seconds=20), Rule(kind=RuleKind.MEMORY, for_seconds=0, above_percent=80))
    play.usage = Usage(cpu_percent=185, memory_bytes=90 << 20, memory_limit_bytes=100 << 20, cores=8, cpu_limit=2.0)
    assert play.check() == [("MemoryHigh", True)]
    assert play.check(count=2) == [("CpuHigh", True)]
    assert [one.message for one in play.said] == [
        "The container of Api uses 90 % of the memory that it may (90 of 100 MiB)",
        "The container of Api uses 92.5 % of the processor time that it may (1.85 of 2 cores)",
    ]
    play.usage = None
    assert play.check(count=5) == []
    play.usage = Usage(cpu_percent=185, memory_bytes=9, memory_limit_bytes=100, cores=8)
    assert play.check() == [("CpuHigh", False), ("MemoryHigh", False)], "without a limit it may use the whole machine"


def test_a_job_that_failed_and_the_monitor_itself() -> None:
    play = Play(Rule(kind=RuleKind.JOB_FAILED), Rule(kind=RuleKind.MONITOR_DEGRADED, for_seconds=5))
    assert play.event(EventType.COMPOSE_FINISHED, project="shop", state="succeeded") == []
    assert play.event(EventType.COMPOSE_FINISHED, project="shop", state="failed") == [("JobFailed", True)]
    assert play.said[-1].data["subject"] == "shop"
    play.unwell = "the history cannot be written"
    assert play.wait(10) == [("MonitorDegraded", True)]
    play.unwell = None
    assert play.wait(2) == [("MonitorDegraded", False)]


def test_after_a_restart_nothing_is_said_again_and_nothing_is_over_before_it_is_known() -> None:
    play = Play(Rule(kind=RuleKind.ERROR_RATE), Rule(kind=RuleKind.CRASH_LOOP, count=1))
    play.check(None, 6)
    play.event(EventType.CONTAINER_DIED)
    assert len(play.alerts) == 2
    pipeline = play.pipeline
    play.begin()
    play.pipeline = pipeline
    assert play.check(None, 6) == []
    assert play.wait(500) == []
    assert play.wait(60) == [("CrashLoop", False)]
    assert play.check(count=61) == [("ErrorRateHigh", False)]


def test_a_rule_names_whom_it_is_about() -> None:
    service = replace(SERVICE, labels={"team": "web"}, group="shop")
    for where, is_about in (
        ("team=web", True),
        ("group!=shop", False),
        ("critical=true", True),
        ("probe=~tcp|tls", False),
    ):
        assert Rule(kind=RuleKind.DEGRADED, where=(where,)).is_about(service) is is_about
    assert not Rule(kind=RuleKind.DEGRADED, services=("web",)).is_about(service)
    assert Rule(kind=RuleKind.CPU, below_days=3).unfit_options == ["below_days"]


def promised(percent: float, interval: float = 30) -> Budget:
    return Budget(Objective(objective_percent=percent), interval)


def test_burn_rates_are_those_of_the_workbook() -> None:
    budget, at = promised(99.9), 100 * DAY
    for second in range(0, HOUR, 30):
        budget.add(at + second, 1, 0)
    burn = budget.look(at + HOUR)
    assert set(burn.rates.values()) == {0.0}
    assert burn.remaining == 1
    for second in range(HOUR, HOUR + 300, 30):
        budget.add(at + second, 0, 1)
    burn = budget.look(at + HOUR + 299)
    assert round(burn.rates[300]) == 1000  # all failed; a thousandth may
    assert 80 < burn.rates[3600] < 84  # 10 of 120
    assert burn.failures[3600] == 10
    lost = 10 / (30 * DAY / 30) / 0.001
    assert abs(burn.remaining - (1 - lost)) < 1e-9
    assert budget.look(at + 40 * DAY).rates[300] == 0


def test_a_start_and_a_single_failure_burn_nothing() -> None:
    play = Play(service=replace(SERVICE, slo=Objective(objective_percent=99.9)))
    assert play.check(None, 5) == []
    assert play.check(None) == [("ErrorBudgetBurning", True)]  # 6 of the 360 checks of an hour: 16 times too fast
    assert (play.said[-1].data["rule"], play.said[-1].data["severity"]) == ("fast", "critical")
    assert play.check(count=100) == []  # within five minutes, none
    assert play.check(count=40) == [("ErrorBudgetBurning", False)]  # and for a quarter of an hour, none


def test_an_answer_that_is_too_slow_is_not_good() -> None:
    play = Play(service=replace(SERVICE, slo=Objective(objective_percent=90, latency_ms=100)))
    play.check(50, 3)
    play.check(150, 3)
    assert sum(play.book.budgets["api"].look(play.book.moment(play.now)).failures.values()) >= 3


def test_budgets_go_on_where_an_earlier_process_stopped() -> None:
    budget = promised(99)
    counts = [(DAY * 100.0 - back, 100, 5) for back in range(20 * HOUR, 0, -HOUR)]
    for level in range(3):
        budget.refill(level, counts)
    burn = budget.look(DAY * 100)
    assert burn.rates[86400] > 0
    assert burn.remaining < 1
