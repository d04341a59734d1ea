"""The pipeline: events in, notices for receivers out. It does no I/O; every moment is handed in.

An event opens or closes an alert. An alert that people do not know passes the stages; the first that objects mutes it
for now, and the next tick asks again. What ends before anybody was told ends in silence; what was told is told to be
over. A muted alert that still fires when its reason to be silent has gone is told then, and so is one that no receiver
took as soon as one does.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from fks_master.alerts.notice import Alert, Cause, Notice, Outgoing, Severity, is_of_a_rule, moment_of, notice_of
from fks_master.alerts.reach import NO_NAME, Reach
from fks_master.alerts.routes import Route, due_escalations, due_repeats, receivers_of
from fks_master.alerts.rules import Rule
from fks_master.alerts.silences import Window
from fks_master.alerts.stages import (
    ASKING,
    BEFORE_FIRING,
    BEFORE_RESOLVING,
    BEFORE_TELLING,
    BY_PEOPLE,
    Stage,
    World,
    unremembered,
)
from fks_master.model import Event, EventType, Policy

ISOLATED = "SystemAlert:isolated"
NAMELESS = "SystemAlert:names"
LOST = {
    ISOLATED: ("network", "No service can be reached: the monitor itself seems to be cut off"),
    NAMELESS: ("names", "No name can be resolved: the name server seems to be away"),
}
REGAINED = {ISOLATED: "Services can be reached again", NAMELESS: "Names can be resolved again"}
FROM_THE_START = (unremembered, *BEFORE_FIRING)
OPENING = {EventType.SERVICE_DOWN, EventType.HIGH_LATENCY, EventType.SERVICE_FLAPPING}

replace = msgspec.structs.replace


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the config wants of the pipeline."""

    routes: tuple[Route, ...] = ()
    windows: tuple[Window, ...] = ()
    rules: tuple[Rule, ...] = ()
    policy: Policy = Policy()


class Pipeline:
    """Owns the open alerts. `changed` names those that are to be stored anew; one that is gone is over.

    `ended` holds those that people were told of and that are over without a word, until somebody takes them out.
    `opened` counts alerts by kind and gravity, `suppressed` those that were muted by the stage that first did so.
    """

    def __init__(self, world: World, routes: tuple[Route, ...]) -> None:
        self.world = world
        self.world.open_alerts = lambda key: key in self.alerts
        self.routes = routes
        self.alerts: dict[str, Alert] = {}
        self.changed: set[str] = set()
        self.ended: list[Alert] = []
        self.opened: Counter[tuple[str, str]] = Counter()
        self.suppressed: Counter[str] = Counter()

    def configure(self, wishes: Wishes) -> None:
        world, self.routes = self.world, wishes.routes
        world.policy, world.windows, world.rules = wishes.policy, wishes.windows, wishes.rules

    def restore(self, alerts: Iterable[Alert]) -> None:
        self.alerts = {alert.key: alert for alert in alerts}

    def take_up(
        self, alerts: Iterable[Alert], events: Iterable[Event], are_up: Collection[str], now: datetime
    ) -> list[Outgoing]:
        """Join what an earlier process left, and what happened then and was not read, with what we have seen since.

        What people knew is not told again; `are_up` are services of which they heard since that they are up.
        """
        ours, self.alerts = self.alerts, {alert.key: alert for alert in alerts}
        told = [outgoing for event in events for outgoing in self.take(event, now)]
        for service_id in are_up:
            before = self.alerts.get(f"{EventType.SERVICE_DOWN}:{service_id}")
            if before is not None:
                self.ended += [before] if before.told_id is not None else []
                self._drop(before.key)
        for alert in ours.values():
            self._put(_succeeding(self.alerts.get(alert.key), alert))
        return told

    def take_changed(self) -> list[tuple[str, Alert | None]]:
        changed, self.changed = self.changed, set()
        return [(key, self.alerts.get(key)) for key in sorted(changed)]

    @property
    def is_asking(self) -> bool:
        """Whether an answer is under way that decides about an alert."""
        return any(alert.muted is not None and alert.muted.startswith(ASKING) for alert in self.alerts.values())

    def shift(self, step: timedelta) -> None:
        """Hear that the wall clock has stepped: what lasts goes on lasting as long as it would have."""
        for alert in self.alerts.values():
            told_at = alert.told_at + step if alert.told_at else None
            reminded = {name: at + step for name, at in alert.reminded.items()}
            self._put(replace(alert, heard_at=alert.heard + step, told_at=told_at, reminded=reminded))
        self.world.shift(step)

    def take(self, event: Event, now: datetime) -> list[Outgoing]:
        """Judge one event."""
        self.world.works.hear(event, now)
        if event.event_type is EventType.COMPOSE_STARTED:
            self.world.note_places()
        if event.event_type is EventType.SYSTEM_ALERT:
            return self._pass_on(self._notice(event), now)
        released = self._release(key_of(event), now) if event.event_type is EventType.SERVICE_UP else []
        key = self._hear(event, now)
        return [*released, *self._isolation(now), *self._evaluate(key, now)]

    def _release(self, key: str, now: datetime) -> list[Outgoing]:
        """Tell what only waited for what an earlier process told, before it is over: rather twice than never."""
        alert = self.alerts.get(key)
        if alert is None or not alert.notice.is_firing or not unremembered(alert, self.world, now):
            return []
        return self._evaluate(key, now, BEFORE_FIRING)

    def _hear(self, event: Event, now: datetime) -> str:
        """Open, change or close the alert that an event is about, and return its key."""
        key = key_of(event)
        if is_of_a_rule(event):
            self._hear_rule(key, self._notice(event), now)
        elif event.event_type in OPENING and event.data.get("is_flapping", True):
            self._fire(key, self._notice(event), now)
        elif event.event_type is EventType.SERVICE_UP and key in self.alerts:
            self._put(replace(self.alerts[key], notice=self._notice(event), heard_at=now))
            self.world.came_up[event.service_id or ""] = now
        return key

    def _hear_rule(self, key: str, notice: Notice, now: datetime) -> None:
        """Take up what a rule says. It may say again what is known: a rule forgets more in a restart than we do."""
        known = self.alerts.get(key)
        if known is None and notice.is_firing:
            self._fire(key, notice, now)
        elif known is not None and known.notice.is_firing is not notice.is_firing:
            self._put(replace(known, notice=notice, heard_at=now))

    def tick(self, now: datetime) -> list[Outgoing]:
        """Look at all open alerts again, because time has passed."""
        told = self._isolation(now)
        for key in list(self.alerts):
            told += self._evaluate(key, now)
        for alert in list(self.alerts.values()):
            told += self._remind(alert, now)
            if self._is_over(alert):
                self.ended += [alert] if alert.told_id is not None else []
                self._drop(alert.key)
        return told

    def acknowledge(self, key: str, who: str, now: datetime) -> bool:
        """Somebody has it in hand: no repeats, no escalation."""
        alert = self.alerts.get(key)
        if alert is not None:
            self._put(replace(alert, acknowledged_by=who, acknowledged_at=now))
        return alert is not None

    def _notice(self, event: Event) -> Notice:
        service = self.world.services().get(event.service_id or "")
        notice = notice_of(event, service.name if service else None)
        more: dict[str, object] = {}
        if event.event_type is EventType.SERVICE_DOWN:
            takes = self.world.dependents(event.service_id or "")
            more = {"incident_id": event.incident_id, **({"takes_down": takes} if takes else {})}
        elif event.event_type is EventType.SERVICE_UP and (known := self.alerts.get(key_of(event))):
            more = _what_is_over(known.notice, event.timestamp)
        return replace(notice, data={**notice.data, **more}) if more else notice

    def _labels(self, notice: Notice) -> dict[str, str]:
        service = self.world.services().get(notice.service_id or "")
        own = {"event_type": notice.event_type, "severity": notice.severity.value}
        if "rule" in notice.data:
            own["rule"] = str(notice.data["rule"])
        if service is None:
            return own
        about = {
            "service_id": service.id,
            "service_type": service.service_type.value,
            "critical": str(service.critical).lower(),
            "probe": service.health_endpoint.partition(":")[0],
        }
        grouped = {"group": service.group} if service.group else {}
        return {**service.labels, **own, **about, **grouped}

    def _fire(self, key: str, notice: Notice, now: datetime) -> None:
        known = self.alerts.get(key)
        if known is None:
            self.opened[notice.event_type, notice.severity.value] += 1
            self._put(Alert(key, notice, notice.timestamp, self._labels(notice), heard_at=now))
        elif known.notice.id != notice.id:
            is_no_news = known.told_id is not None and notice.event_type == EventType.SERVICE_DOWN  # up was not told
            told_id = notice.id if is_no_news else known.told_id
            self._put(replace(known, notice=notice, told_id=told_id, muted=None, heard_at=now))

    def _evaluate(self, key: str, now: datetime, firing: Sequence[Stage] = FROM_THE_START) -> list[Outgoing]:
        alert = self.alerts.get(key)
        if alert is None or alert.notice.id == alert.told_id:
            return []
        if not alert.notice.is_firing and alert.told_id is None:
            self._drop(key)
            return []
        stages = firing if alert.notice.is_firing else BEFORE_RESOLVING
        for stage in stages:
            if muted := stage(alert, self.world, now):
                self._mute(alert, muted, stage.__name__)
                return []
        return self._tell(alert, now)

    def _mute(self, alert: Alert, reason: str, stage: str) -> None:
        if reason == alert.muted:
            return
        if alert.muted is None and not reason.startswith(ASKING):
            self.suppressed[stage] += 1
        self._put(replace(alert, muted=reason, is_unheard=False))

    def _tell(self, alert: Alert, now: datetime) -> list[Outgoing]:
        names = (*receivers_of(self.routes, alert.notice, alert.labels), *alert.receivers, *alert.escalated)
        receivers = tuple(dict.fromkeys(names))
        if not alert.notice.is_firing:
            self._drop(alert.key)
        elif receivers:
            known = {"told_id": alert.notice.id, "told_at": now, "receivers": receivers, "reminded": {}}
            self._put(replace(alert, muted=None, is_unheard=False, is_put_off=False, **known))
        elif not alert.is_unheard:
            self._put(replace(alert, muted=None, is_unheard=True))
        return [alert.outgoing(name, alert.notice) for name in receivers]

    def _remind(self, alert: Alert, now: datetime) -> list[Outgoing]:
        """Say again what nobody took in hand, unless something speaks against it now.

        What people muted after it was told is told again when that ends; escalation begins to count anew then.
        """
        if not alert.is_nagging:
            return []
        if muted := _objection(BY_PEOPLE, alert, self.world, now):
            self._put_off(alert, muted, by_people=True)
            return []
        due, later = due_repeats(self.routes, alert, now), due_escalations(self.routes, alert, now)
        if not (alert.is_put_off or due or later):
            return []
        if muted := _objection(BEFORE_TELLING, alert, self.world, now):
            self._put_off(alert, muted, by_people=alert.is_put_off)
            return []
        number = alert.repeats + 1
        known = replace(alert.notice, timestamp=now, data={"since": alert.notice.timestamp, **alert.notice.data})
        again = replace(known, id=f"{known.id}.repeat{number}", cause=Cause.REPEAT)
        if alert.is_put_off:
            self._put(replace(alert, muted=None, is_put_off=False, repeats=number, told_at=now, reminded={}))
            return [alert.outgoing(name, again) for name in dict.fromkeys((*alert.receivers, *alert.escalated))]
        up = replace(known, id=f"{known.id}.up", cause=Cause.ESCALATION)
        told = {"reminded": alert.reminded | due, "escalated": (*alert.escalated, *later)}
        self._put(replace(alert, muted=None, repeats=number if due else alert.repeats, **told))
        return [*(alert.outgoing(name, again) for name in due), *(alert.outgoing(name, up) for name in later)]

    def _put_off(self, alert: Alert, muted: str, *, by_people: bool) -> None:
        if (muted, by_people) != (alert.muted, alert.is_put_off):
            self._put(replace(alert, muted=muted, is_put_off=by_people))

    def _is_over(self, alert: Alert) -> bool:
        """Whether it is over without a word: nobody watches the service or asks the rule, or it passed by itself."""
        if "rule" in alert.notice.data and not self.world.is_in_force(alert.notice):
            return True
        if alert.service_id is None:
            return False
        state = self.world.states().get(alert.service_id)
        if state is None or not state.is_confirmed:
            return state is None
        is_slowness = alert.notice.event_type == EventType.HIGH_LATENCY
        is_unrest = alert.notice.event_type == EventType.SERVICE_FLAPPING
        return (is_slowness and not state.is_slow) or (is_unrest and not state.is_flapping)

    def _pass_on(self, notice: Notice, now: datetime) -> list[Outgoing]:
        """Tell a fact that does not last, unless a silence covers it."""
        labels = self._labels(notice)
        alert = Alert("", notice, notice.timestamp, labels)
        if _objection(BEFORE_TELLING, alert, self.world, now):
            return []
        return [Outgoing(name, notice) for name in receivers_of(self.routes, notice, labels)]

    def _isolation(self, now: datetime) -> list[Outgoing]:
        """Tell once that a way to the others is lost, and once that it is found again; look only if it matters."""
        if not (LOST.keys() & self.alerts.keys() or self._has_untold_alerts(ISOLATED)):
            return []
        network, names = self.world.ways(now)
        told = self._way(ISOLATED, network, now, is_hidden=False)
        return [*told, *self._way(NAMELESS, names, now, is_hidden=network.is_lost)]

    def _way(self, key: str, way: Reach, now: datetime, *, is_hidden: bool) -> list[Outgoing]:
        known, (name, message) = self.alerts.get(key), LOST[key]
        if known is None and way.is_lost and not is_hidden and self._has_untold_alerts(key):
            notice = _about_us(f"{name}-{now:%Y%m%dT%H%M%S}", message, now, Severity.CRITICAL)
            self.opened[notice.event_type, notice.severity.value] += 1
            self._put(Alert(key, notice, now, self._labels(notice), heard_at=now))
            return self._evaluate(key, now)
        if known is not None and known.notice.is_firing and not way.is_lost:
            self.world.regained[name] = now
            notice = _about_us(f"{known.notice.id}.over", REGAINED[key], now, Severity.INFO)
            self._put(replace(known, notice=replace(notice, is_firing=False), heard_at=now))
            return self._evaluate(key, now)
        return []

    def _has_untold_alerts(self, key: str) -> bool:
        untold = (alert for alert in self.alerts.values() if alert.told_id is None and alert.service_id)
        return any(key == ISOLATED or alert.notice.data.get("reason") in NO_NAME for alert in untold)

    def _put(self, alert: Alert) -> None:
        self.alerts[alert.key] = alert
        self.changed.add(alert.key)

    def _drop(self, key: str) -> None:
        if self.alerts.pop(key, None) is not None:
            self.changed.add(key)


def _succeeding(before: Alert | None, alert: Alert) -> Alert:
    """Go on with an alert that people know from an earlier process, if they do."""
    if before is None or before.told_id is None:
        return alert
    told_id = alert.notice.id if alert.notice.is_firing else before.told_id
    receivers = tuple(dict.fromkeys((*before.receivers, *alert.receivers)))
    return replace(
        before, notice=alert.notice, heard_at=alert.heard_at, told_id=told_id, receivers=receivers, muted=None
    )


def key_of(event: Event) -> str:
    """Name the alert that an event is about."""
    if is_of_a_rule(event):
        return f"{event.event_type}:{event.data['rule']}:{event.service_id or event.data.get('subject') or ''}"
    kind = EventType.SERVICE_DOWN if event.event_type is EventType.SERVICE_UP else event.event_type
    return f"{kind}:{event.service_id}"


def _what_is_over(down: Notice, now: datetime) -> dict[str, object]:
    """Give what is to be said of an outage at its end: which one, why it was, and for how long."""
    since = moment_of(down.data.get("since")) or down.timestamp
    said: dict[str, object] = {"down_since": since, "down_seconds": round(max(0.0, (now - since).total_seconds()), 1)}
    said |= {name: down.data[name] for name in ("incident_id", "reason", "error", "down_since") if name in down.data}
    return said


def _objection(stages: Iterable[Stage], alert: Alert, world: World, now: datetime) -> str | None:
    return next((muted for stage in stages if (muted := stage(alert, world, now))), None)


def _about_us(id_: str, message: str, now: datetime, severity: Severity) -> Notice:
    return Notice(id_, EventType.SYSTEM_ALERT.value, None, None, message, now, severity=severity, critical=True)
