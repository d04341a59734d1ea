"""The judge: a pure function from state and result to the new state and what it means.

Status follows at once; telling is considered. Each completed check decides the status by itself. `failure_threshold`
failed checks in a row make a service *down*, which is told once; *up* is told only where *down* was. High latency is
told once an episode, after the same number of slow checks; the episode ends with the first check that is not slow.
A service flaps when it went up or down often within the last checks; only states shorter than a bound count
(`Service.bound_seconds`), because longer ones are told in any case.
What a service reports of itself needs no second look: its first failure, or success, is told.
A void result changes nothing: not seeing is not failing. One that is void because whoever would have told us is
silent (reason `unseen`) makes the status Unknown, and counts neither as a failed nor as a good check.
"""

import msgspec

from fks_master.model import Event, EventType, Outcome, Policy, Reason, Result, Service, State, Status, Transition

FLAP_CHECKS = 20
FLAPPING_FLIPS = 6  # begins to flap
CALM_FLIPS = 3  # fewer, and it no longer does


def apply(
    state: State, result: Result, service: Service, policy: Policy
) -> tuple[State, Transition | None, list[Event]]:
    if result.outcome is Outcome.VOID:
        return _unseen(state, result) if result.reason is Reason.UNSEEN else (state, None, [])
    status = judge(result, service)
    is_up = status is not Status.UNHEALTHY
    new = msgspec.structs.replace(
        state,
        status=status,
        since=state.since if status is state.status else result.at,
        up_since=(state.up_since or result.at) if is_up else None,
        failing_since=None if is_up else state.failing_since or result.at,
        failures=0 if is_up else state.failures + 1,
        successes=state.successes + 1 if is_up else 0,
        flips=_flips(state, result, service.bound_seconds(policy), is_up=is_up),
        slow_checks=state.slow_checks + 1 if is_slow(result, policy) else 0,
        last=result,
        is_confirmed=True,
        before=state.before if is_up or state.failures else state.status,
    )
    new, events = _told(new, result, service, policy)
    if status is state.status:
        return new, None, events
    transition = Transition(state.service_id, state.status, status, result.at, result.reason)
    return new, transition, [_status_changed(transition, result), *events]


def _unseen(state: State, result: Result) -> tuple[State, Transition | None, list[Event]]:
    """Nothing is known; what was counted and told goes on from there once it is seen again."""
    if state.status is Status.UNKNOWN:
        return msgspec.structs.replace(state, last=result), None, []
    new = msgspec.structs.replace(state, status=Status.UNKNOWN, since=result.at, up_since=None, last=result)
    transition = Transition(state.service_id, state.status, Status.UNKNOWN, result.at, result.reason)
    return new, transition, [_status_changed(transition, result)]


def _flips(state: State, result: Result, bound_seconds: float, *, is_up: bool) -> int:
    """Shift one bit in: whether this check ended a short state."""
    began = state.failing_since if is_up else state.up_since
    is_flip = began is not None and (result.at - began).total_seconds() < bound_seconds
    return (state.flips << 1 | is_flip) & (1 << FLAP_CHECKS) - 1


def judge(result: Result, service: Service) -> Status:
    if result.outcome is Outcome.FAILURE:
        return Status.UNHEALTHY
    if result.degraded or result.seconds * 1000 > service.expected_response_time_ms:
        return Status.DEGRADED
    return Status.HEALTHY


def is_slow(result: Result, policy: Policy) -> bool:
    return result.outcome is Outcome.SUCCESS and result.seconds * 1000 > policy.high_latency_ms


def _told(new: State, result: Result, service: Service, policy: Policy) -> tuple[State, list[Event]]:
    events: list[Event] = []
    is_down, is_told_slow = new.is_down, new.is_slow
    if not is_down and new.failures >= (1 if result.is_report else policy.failure_threshold):
        is_down = True
        events.append(_down(new, result, service))
    elif is_down and new.successes >= (1 if result.is_report else policy.success_threshold):
        is_down = False
        events.append(_up(new, result, service))
    if new.slow_checks == 0:
        is_told_slow = False
    elif not is_told_slow and new.slow_checks >= policy.failure_threshold:
        is_told_slow = True
        events.append(_high_latency(result, service, policy))
    is_flapping = new.flips.bit_count() >= (CALM_FLIPS if new.is_flapping else FLAPPING_FLIPS)
    if is_flapping is not new.is_flapping:
        events.append(_flapping(new, result, service, is_flapping=is_flapping))
    if events or is_told_slow is not new.is_slow:
        new = msgspec.structs.replace(new, is_down=is_down, is_slow=is_told_slow, is_flapping=is_flapping)
    return new, events


def _status_changed(transition: Transition, result: Result) -> Event:
    return Event(
        EventType.STATUS_CHANGED,
        f"{transition.old} to {transition.new}",
        result.at,
        transition.service_id,
        {"old": transition.old, "new": transition.new, "reason": transition.reason, "error": result.message},
    )


def _down(new: State, result: Result, service: Service) -> Event:
    data: dict[str, object] = {
        "critical": service.critical,
        "reason": result.reason,
        "error": result.message,
        "since": new.failing_since,
        "failures": new.failures,
        "old": new.before,
        "new": new.status,
    }
    return Event(EventType.SERVICE_DOWN, f"{service.name} is down: {result.message}", result.at, service.id, data)


def _up(new: State, result: Result, service: Service) -> Event:
    data: dict[str, object] = {
        "critical": service.critical,
        "status": new.status,
        "old": Status.UNHEALTHY,
        "new": new.status,
    }
    return Event(EventType.SERVICE_UP, f"{service.name} is up again", result.at, service.id, data)


def _flapping(new: State, result: Result, service: Service, *, is_flapping: bool) -> Event:
    flips = new.flips.bit_count()
    data: dict[str, object] = {"critical": service.critical, "is_flapping": is_flapping, "changes": flips}
    message = f"{service.name} went up or down {flips} times in its last {FLAP_CHECKS} checks"
    if not is_flapping:
        message = f"{service.name} no longer flaps"
    return Event(EventType.SERVICE_FLAPPING, message, result.at, service.id, data)


def _high_latency(result: Result, service: Service, policy: Policy) -> Event:
    milliseconds = round(result.seconds * 1000, 1)
    data: dict[str, object] = {
        "critical": service.critical,
        "response_time_ms": milliseconds,
        "threshold_ms": policy.high_latency_ms,
    }
    message = f"{service.name} is slow: {milliseconds:g} ms"
    return Event(EventType.HIGH_LATENCY, message, result.at, service.id, data)
