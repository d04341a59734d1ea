from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fks_master.model import EventType, Outcome, Policy, Reason, Result, Service, State, Status
from fks_master.state.machine import apply

SERVICE = Service("api", "Api", "http://127.0.0.1:1/health", expected_response_time_ms=500, critical=True)
POLICY = Policy(failure_threshold=3, high_latency_ms=2000)
START = datetime(2026, 1, 1, tzinfo=UTC)


def result(kind: str, number: int = 0) -> Result:
    at = START + timedelta(seconds=30 * number)
    if kind == "fail":
        return Result("api", Outcome.FAILURE, at, reason=Reason.REFUSED, message="Connection refused")
    if kind == "void":
        return Result("api", Outcome.VOID, at)
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


def test_slower_than_expected_is_degraded() -> None:
    assert play("late")[0].status is Status.DEGRADED


def test_high_latency_is_told_once_an_episode() -> None:
    assert play("slow", "slow", "slow", "slow", "ok", "slow", "slow")[1] == [EventType.HIGH_LATENCY]


KINDS = st.lists(st.sampled_from(["ok", "late", "slow", "sick", "fail", "void"]), max_size=60)


@given(KINDS)
def test_agrees_with_a_reference_model(kinds: list[str]) -> None:
    told: list[EventType] = []
    failures = slow = 0
    down = slow_told = False
    for kind in (kind for kind in kinds if kind != "void"):
        failures = failures + 1 if kind == "fail" else 0
        slow = slow + 1 if kind == "slow" else 0
        if failures == 3:
            told.append(EventType.SERVICE_DOWN)
            down = True
        if down and failures == 0:
            told.append(EventType.SERVICE_UP)
            down = False
        if slow == 0:
            slow_told = False
        if slow >= 3 and not slow_told:
            told.append(EventType.HIGH_LATENCY)
            slow_told = True
    assert play(*kinds)[1] == told
