import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fks_master.model import EventType, Outcome, Policy, Reason, Result, Service, State, Status
from fks_master.state.machine import apply

SERVICE = Service("api", "Api", "http://127.0.0.1:1/health", expected_response_time_ms=500, critical=True)
POLICY = Policy(failure_threshold=3, high_latency_ms=2000)
BOUND = 3 * 30 + 3 * 10 + 0.9 + 2  # threshold, tries with their pauses, and a bit
START = datetime(2026, 1, 1, tzinfo=UTC)


def result(kind: str, number: int = 0) -> Result:
    at = START + timedelta(seconds=30 * number)
    if kind == "fail":
        return Result("api", Outcome.FAILURE, at, reason=Reason.REFUSED, message="Connection refused")
    if kind == "void":
        return Result("api", Outcome.VOID, at)
    if kind == "unseen":
        return Result("api", Outcome.VOID, at, reason=Reason.UNSEEN, message="Docker does not answer")
    seconds = {"ok": 0.01, "late": 0.9, "slow": 2.5, "sick": 0.01}[kind]
    return Result("api", Outcome.SUCCESS, at, seconds=seconds, degraded=kind == "sick")


def play(*kinds: str) -> tuple[State, list[EventType]]:
    state, told = State("api"), []
    for number, kind in enumerate(kinds):
        state, _, events = apply(state, result(kind, number), SERVICE, POLICY)
        told += [event.event_type for event in events if event.event_type is not EventType.STATUS_CHANGED]
    return state, told


def test_one_failed_check_makes_unhealthy_at_once_and_tells_nobody() -> None:
    state, told = play("ok", "fail")
    assert state.status is Status.UNHEALTHY
    assert not state.is_down
    assert told == []


def test_threshold_failures_in_a_row_are_down_since_the_first_of_them() -> None:
    state, told = play("ok", "fail", "fail", "fail", "fail")
    assert told == [EventType.SERVICE_DOWN]
    assert state.failing_since == START + timedelta(seconds=30)
    assert state.up_since is None


def test_a_service_first_seen_down_is_told_too() -> None:
    assert play("fail", "fail", "fail")[1] == [EventType.SERVICE_DOWN]


def test_recovery_through_degraded_is_a_recovery() -> None:
    state, told = play("fail", "fail", "fail", "sick", "ok")
    assert told == [EventType.SERVICE_DOWN, EventType.SERVICE_UP]
    assert state.up_since == START + timedelta(seconds=90)


def test_up_is_told_only_where_down_was() -> None:
    assert play("ok", "fail", "fail", "ok")[1] == []


def test_void_changes_nothing() -> None:
    assert play("ok", "fail", "void")[0] == play("ok", "fail")[0]


def test_what_is_not_seen_is_unknown_and_counts_for_nothing() -> None:
    state, told = play("ok", "fail", "fail", "unseen")
    assert (state.status, state.failures, state.is_down) == (Status.UNKNOWN, 2, False)
    assert state.last is not None
    assert state.last.message == "Docker does not answer"
    assert told == []
    assert play("fail", "fail", "unseen", "unseen", "fail")[1] == [EventType.SERVICE_DOWN]
    assert play("fail", "fail", "fail", "unseen", "ok")[1] == [EventType.SERVICE_DOWN, EventType.SERVICE_UP]


def test_slower_than_expected_is_degraded() -> None:
    assert play("late")[0].status is Status.DEGRADED


def test_up_is_told_after_as_many_good_checks_as_wanted() -> None:
    told = []
    state = State("api")
    patient = Policy(failure_threshold=1, success_threshold=2)
    for number, kind in enumerate(["fail", "ok", "fail", "ok", "ok", "ok"]):
        state, _, events = apply(state, result(kind, number), SERVICE, patient)
        told += [(number, event.event_type) for event in events if event.event_type is not EventType.STATUS_CHANGED]
    assert told == [(0, EventType.SERVICE_DOWN), (4, EventType.SERVICE_UP)]


def test_a_service_that_goes_up_and_down_flaps_until_it_is_calm() -> None:
    state, told = play(*["ok", "fail"] * 4)
    assert state.is_flapping
    assert told == [EventType.SERVICE_FLAPPING]
    state, told = play(*["ok", "fail"] * 4, *["ok"] * 20)
    assert not state.is_flapping
    assert told == [EventType.SERVICE_FLAPPING] * 2


def test_long_states_are_no_flapping() -> None:
    state, told = play(*(["ok"] * 5 + ["fail"] * 5) * 10)
    assert not state.is_flapping
    assert told.count(EventType.SERVICE_DOWN) == 10


def test_high_latency_is_told_once_an_episode() -> None:
    assert play("slow", "slow", "slow", "slow", "ok", "slow", "slow")[1] == [EventType.HIGH_LATENCY]


KINDS = st.lists(st.sampled_from(["ok", "late", "slow", "sick", "fail", "void", "unseen"]), max_size=60)


class Reference:
    """The same rules, written as plainly as possible over the whole past."""

    def __init__(self) -> None:
        self.past: list[str] = []
        self.began: int | None = None
        self.flips: list[bool] = []
        self.is_down = self.is_slow = self.is_flapping = False

    def see(self, kind: str, number: int) -> list[EventType]:
        """Add one check, the numbers of which are 30 s apart, and give what is told about it."""
        told = []
        was_up = self.past[-1] != "fail" if self.past else None
        is_up = kind != "fail"
        has_ended = was_up is not None and is_up is not was_up
        self.flips.append(has_ended and self.began is not None and 30 * (number - self.began) < BOUND)
        if has_ended or self.began is None:
            self.began = number
        self.past.append(kind)
        if not self.is_down and self.tail(lambda one: one == "fail") >= 3:
            told.append(EventType.SERVICE_DOWN)
            self.is_down = True
        elif self.is_down and is_up:
            told.append(EventType.SERVICE_UP)
            self.is_down = False
        slow = self.tail(lambda one: one == "slow")
        if slow >= 3 and not self.is_slow:
            told.append(EventType.HIGH_LATENCY)
        self.is_slow = slow > 0 and (self.is_slow or slow >= 3)
        flips = sum(self.flips[-20:])
        is_flapping = flips >= (3 if self.is_flapping else 6)
        if is_flapping is not self.is_flapping:
            told.append(EventType.SERVICE_FLAPPING)
        self.is_flapping = is_flapping
        return told

    def miss(self) -> None:
        """Hear that a check saw nothing: how long it has been up is not known any more."""
        if self.past and self.past[-1] != "fail":
            self.began = None

    def tail(self, holds: Callable[[str], bool]) -> int:
        return len(list(itertools.takewhile(holds, reversed(self.past))))


@given(KINDS)
def test_agrees_with_a_reference_model(kinds: list[str]) -> None:
    reference = Reference()
    told = []
    for number, kind in enumerate(kinds):
        if kind == "unseen":
            reference.miss()
        elif kind != "void":
            told += reference.see(kind, number)
    state, found = play(*kinds)
    assert found == told
    assert (state.is_down, state.is_slow, state.is_flapping) == (
        reference.is_down,
        reference.is_slow,
        reference.is_flapping,
    )


@given(KINDS)
def test_what_is_remembered_makes_sense(kinds: list[str]) -> None:
    state, _ = play(*kinds)
    assert (state.up_since is not None) is (state.status in {Status.HEALTHY, Status.DEGRADED})
    assert (state.failing_since is not None) is (state.failures > 0)
    assert state.status is not Status.UNHEALTHY or state.failures > 0
    assert state.failures == 0 or state.successes == 0
    assert not state.is_down or state.failures >= 3


def test_what_a_service_reports_of_itself_needs_no_second_look() -> None:
    state, told = State("api"), []
    for kind in ("ok", "fail", "ok", "fail", "fail"):
        report = msgspec.structs.replace(result(kind), is_report=True)
        state, _, events = apply(state, report, SERVICE, Policy(failure_threshold=3, success_threshold=2))
        told += [event.event_type for event in events if event.event_type is not EventType.STATUS_CHANGED]
    assert told == [EventType.SERVICE_DOWN, EventType.SERVICE_UP, EventType.SERVICE_DOWN]


def test_down_and_up_say_the_status_before_and_after() -> None:
    def changes(*kinds: str) -> list[tuple[object, object]]:
        state, found = State("api"), []
        for number, kind in enumerate(kinds):
            state, _, events = apply(state, result(kind, number), SERVICE, POLICY)
            down_or_up = {EventType.SERVICE_DOWN, EventType.SERVICE_UP}
            found += [(one.data["old"], one.data["new"]) for one in events if one.event_type in down_or_up]
        return found

    failing = ("fail", "fail", "fail", "fail")
    assert changes("ok", "late", *failing, "ok") == [("Degraded", "Unhealthy"), ("Unhealthy", "Healthy")]
    assert changes(*failing, "sick") == [("Unknown", "Unhealthy"), ("Unhealthy", "Degraded")]
    assert changes("ok", "fail", "fail", "void", "unseen", "fail") == [("Healthy", "Unhealthy")]
    assert changes("ok", *failing, "late", *failing)[-1] == ("Degraded", "Unhealthy")
