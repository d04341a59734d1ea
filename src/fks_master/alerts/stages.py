"""The stages an alert passes before it is told. Each gives a reason to say nothing now, or None."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from fks_master.alerts.notice import Alert, moment_of
from fks_master.alerts.reach import NO_ANSWER, NO_NAME, Reach, is_here, is_named, is_passive
from fks_master.alerts.world import World, bound_of
from fks_master.model import EventType, State, Status

__all__ = ["BEFORE_FIRING", "BEFORE_RESOLVING", "BEFORE_TELLING", "BY_PEOPLE", "Stage", "World"]

ASKING = "asks "  # how the reasons begin that end with an answer which is under way
SYMPTOMS = {
    EventType.SERVICE_DOWN,
    EventType.HIGH_LATENCY,
    EventType.SERVICE_DEGRADED,
    EventType.LATENCY_HIGH,
    EventType.ERROR_RATE_HIGH,
    EventType.ERROR_BUDGET_BURNING,
}
AFTER_DOWN = {"fast": timedelta(minutes=50), "slow": timedelta(hours=7)}  # how long an outage makes a budget burn
# How long after a way is found again questions may still fail that were asked before: queries for names are shared.
SETTLING = {"network": timedelta(0), "names": timedelta(seconds=10)}

Stage = Callable[[Alert, World, datetime], str | None]


def unremembered(alert: Alert, world: World, now: datetime) -> str | None:
    """Wait a while for what people were told before we began: the store is away that knows it."""
    if world.waiting_until is None or now >= world.waiting_until or alert.service_id is None:
        return None
    return "the history is away that knows what was told before"


def inhibited(alert: Alert, world: World, now: datetime) -> str | None:
    """Mute a service that cannot work because one that it needs does not.

    While a need is failing but not yet down, wait until it is decided; after it came up, until we looked again.
    """
    service = world.services().get(alert.service_id or "")
    if service is None or alert.notice.event_type not in SYMPTOMS:
        return None
    for need in world.needs(service.id):
        state = world.states()[need]
        if state.is_down:
            return f"depends on {need}, which is down"
        if state.status is Status.UNHEALTHY and now < alert.heard + bound_of(world.services()[need], world.policy):
            return f"depends on {need}, which fails"
        again = timedelta(seconds=service.interval_seconds + service.tries * service.timeout_seconds)
        if alert.muted and state.up_since and alert.began <= state.up_since <= now < state.up_since + again:
            return f"depends on {need}, which has just come up"
    return None


def uncertain(alert: Alert, world: World, now: datetime) -> str | None:
    """Have what a service needs looked at before it is told to be down, so that the cause is known."""
    if world.look_now is None or alert.notice.event_type != EventType.SERVICE_DOWN:
        return None
    states = world.states()
    waiting = [
        need
        for need in world.needs(alert.service_id)
        if not is_passive(world.services()[need].health_endpoint)
        and not _is_seen_since(states[need], alert.notice.timestamp)
        and now < alert.heard + _patience(world, [need])
    ]
    if not waiting:
        return None
    world.ask(waiting, now)
    return f"{ASKING}whether {waiting[0]} works, which it needs"


def told_already(alert: Alert, world: World, now: datetime) -> str | None:
    """Mute what only repeats that a service is down, or was a moment ago."""
    if alert.notice.event_type == EventType.SERVICE_DOWN or alert.notice.event_type not in SYMPTOMS:
        return None
    state = world.states().get(alert.service_id or "")
    if state is not None and (state.is_down or world.open_alerts(f"{EventType.SERVICE_DOWN}:{alert.service_id}")):
        return "the service is down, which is told"
    came_up = world.came_up.get(alert.service_id or "")
    after = AFTER_DOWN.get(str(alert.notice.data.get("pace")))
    if came_up is not None and after is not None and came_up <= now < came_up + after:
        return "the service was down a while ago, which was told"
    return None


def silenced(alert: Alert, world: World, now: datetime) -> str | None:
    for silence in world.silences.values():
        if silence.mutes(alert.labels, now):
            return f"silenced by {silence.author or 'someone'}: {silence.comment}"
    return None


def in_maintenance(alert: Alert, world: World, now: datetime) -> str | None:
    for window in (*world.windows, *world.planned.values()):
        if window.covers(alert.service_id, now):
            return f"maintenance: {window.name}"
    return None


def acted_upon(alert: Alert, world: World, now: datetime) -> str | None:
    service_id = alert.service_id or ""
    place = world.place_of(service_id) or world.places.get(service_id)
    is_worked_on = world.is_busy(service_id) or world.works.are_on(service_id, place, now)
    return "an action of ours works on it" if is_worked_on else None


def isolated(alert: Alert, world: World, now: datetime) -> str | None:
    """Mute what nobody answered while nobody answers at all: then it is we who are cut off."""
    service = world.services().get(alert.service_id or "")
    reason = alert.notice.data.get("reason")
    if service is None or alert.notice.event_type != EventType.SERVICE_DOWN or reason not in NO_ANSWER:
        return None
    network, names = world.ways(now)
    if not is_here(service.health_endpoint) and (said := _cut_off(alert, network, world, now, "network")):
        return said
    if reason in NO_NAME and is_named(service.health_endpoint):
        return _cut_off(alert, names, world, now, "names")
    return None


def flapping(alert: Alert, world: World, now: datetime) -> str | None:
    """Damp a service that goes up and down; a state that lasts is told in any case.

    What is left of the bound when the event comes is waited for. If no check is due by then, the service is looked at.
    """
    state, service = world.states().get(alert.service_id or ""), world.services().get(alert.service_id or "")
    if state is None or service is None or not state.is_flapping:
        return None
    if alert.notice.event_type not in {EventType.SERVICE_DOWN, EventType.SERVICE_UP}:
        return None
    policy = world.policy
    checks = policy.failure_threshold if alert.notice.is_firing else policy.success_threshold
    left = bound_of(service, policy) - timedelta(seconds=checks * service.interval_seconds + _spent_seconds(state))
    if alert.heard <= now < alert.heard + left:
        is_time = now >= alert.heard + left - timedelta(seconds=service.asking_seconds)
        if is_time and left < timedelta(seconds=service.interval_seconds):
            world.ask([service.id], now)
        return "flapping"
    return None


def _spent_seconds(state: State) -> float:
    """Give how long the last check took: as much later did we learn of the state than it began."""
    return state.last.tries * state.last.seconds if state.last else 0.0


def _cut_off(alert: Alert, way: Reach, world: World, now: datetime, name: str) -> str | None:
    """Say that a way is lost, may be, or was until a moment ago."""
    what = {"network": "the monitor is isolated", "names": "no name can be resolved"}[name]
    if way.is_lost:
        return what
    since = _since(alert)
    is_old = way.newest_answer is not None and way.newest_answer < since
    if is_old and world.look_now is not None and now < alert.heard + timedelta(seconds=1 + way.asking_seconds):
        world.ask(way.answered, now)
        return f"{ASKING}whether anybody answers"
    regained, state = world.regained.get(name), world.states()[alert.service_id or ""]
    has_answered = state.last is not None and state.last.at > (regained or now) and state.last.reason not in NO_ANSWER
    if not regained or has_answered:
        return None
    if regained <= now < regained + _patience(world, [state.service_id]) + SETTLING[name]:
        world.ask([state.service_id], now)
        return f"{what}, until just now"
    return None


def _since(alert: Alert) -> datetime:
    """Give when the service began to fail."""
    return moment_of(alert.notice.data.get("since")) or alert.notice.timestamp


def _is_seen_since(state: State, moment: datetime) -> bool:
    return state.last is not None and state.last.at > moment


def _patience(world: World, service_ids: Iterable[str]) -> timedelta:
    services = world.services()
    return timedelta(seconds=1 + max((services[one].asking_seconds for one in service_ids), default=0.0))


BY_PEOPLE: tuple[Stage, ...] = (silenced, in_maintenance)
BEFORE_TELLING: tuple[Stage, ...] = (
    inhibited,
    isolated,
    silenced,
    in_maintenance,
    acted_upon,
    told_already,
)
BEFORE_FIRING: tuple[Stage, ...] = (*BEFORE_TELLING, uncertain, flapping)
BEFORE_RESOLVING: tuple[Stage, ...] = (flapping,)
