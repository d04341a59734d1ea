"""The pipeline: events in, notices for receivers out. It does no I/O; every moment is handed in.

An event opens or closes an alert. An alert that people do not know passes the stages; the first that objects mutes it
for now, and the next tick asks again. What ends before anybody was told ends in silence; what was told is told to be
over. A muted alert that still fires when its reason to be silent has gone is told then.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import msgspec

from fks_master.alerts.notice import Alert, Cause, Notice, Outgoing, Severity, notice_of
from fks_master.alerts.routes import Route, escalations, receivers_of, repeats
from fks_master.alerts.stages import BEFORE_FIRING, BEFORE_RESOLVING, World
from fks_master.model import Event, EventType

ISOLATED = "SystemAlert:isolated"

replace = msgspec.structs.replace


class Pipeline:
    """Owns the open alerts. `changed` names those that are to be stored anew; one that is gone is over."""

    def __init__(self, world: World, routes: tuple[Route, ...]) -> None:
        self.world = world
        self.routes = routes
        self.alerts: dict[str, Alert] = {}
        self.changed: set[str] = set()

    def restore(self, alerts: Iterable[Alert]) -> None:
        self.alerts = {alert.key: alert for alert in alerts}

    def take_changed(self) -> list[tuple[str, Alert | None]]:
        changed, self.changed = self.changed, set()
        return [(key, self.alerts.get(key)) for key in sorted(changed)]

    def take(self, event: Event, now: datetime) -> list[Outgoing]:
        """Judge one event."""
        key = f"{EventType.SERVICE_DOWN}:{event.service_id}"
        if event.event_type is EventType.SERVICE_DOWN:
            self._fire(key, self._notice(event))
        elif event.event_type is EventType.SERVICE_UP and key in self.alerts:
            self._put(replace(self.alerts[key], notice=self._notice(event)))
        elif event.event_type is EventType.HIGH_LATENCY:
            key = f"{EventType.HIGH_LATENCY}:{event.service_id}"
            self._fire(key, self._notice(event))
        elif event.event_type is EventType.SERVICE_FLAPPING:
            return self._flaps(event, now)
        elif event.event_type is EventType.SYSTEM_ALERT:
            return self._pass_on(self._notice(event), now)
        return [*self._isolation(now), *self._evaluate(key, now)]

    def tick(self, now: datetime) -> list[Outgoing]:
        """Look at all open alerts again, because time has passed."""
        told = self._isolation(now)
        for key in list(self.alerts):
            told += self._evaluate(key, now)
        for alert in list(self.alerts.values()):
            told += self._remind(alert, now)
            if self._is_over(alert):
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
        if event.event_type is EventType.SERVICE_DOWN and (takes := self.world.dependents(event.service_id or "")):
            return replace(notice, data={**notice.data, "takes_down": takes})
        return notice

    def _labels(self, notice: Notice) -> dict[str, str]:
        service = self.world.services().get(notice.service_id or "")
        own = {"event_type": notice.event_type, "severity": notice.severity.value}
        if service is None:
            return own
        return {**service.labels, **own, "service_id": service.id, "service_type": service.service_type.value}

    def _fire(self, key: str, notice: Notice) -> None:
        known = self.alerts.get(key)
        if known is None:
            self._put(Alert(key, notice, notice.timestamp, self._labels(notice)))
        elif known.notice.id != notice.id:
            self._put(replace(known, notice=notice, muted=None))

    def _evaluate(self, key: str, now: datetime) -> list[Outgoing]:
        alert = self.alerts.get(key)
        if alert is None or alert.notice.id == alert.told_id:
            return []
        if not alert.notice.is_firing and alert.told_id is None:
            self._drop(key)
            return []
        stages = BEFORE_FIRING if alert.notice.is_firing else BEFORE_RESOLVING
        muted = next((reason for stage in stages if (reason := stage(alert, self.world, now))), None)
        if muted:
            if muted != alert.muted:
                self._put(replace(alert, muted=muted))
            return []
        return self._tell(alert, now)

    def _tell(self, alert: Alert, now: datetime) -> list[Outgoing]:
        if alert.notice.is_firing:
            self._put(replace(alert, told_id=alert.notice.id, told_at=now, muted=None))
        else:
            self._drop(alert.key)
        receivers = (*receivers_of(self.routes, alert.notice, alert.labels), *alert.escalated)
        return [alert.outgoing(name, alert.notice) for name in dict.fromkeys(receivers)]

    def _remind(self, alert: Alert, now: datetime) -> Iterator[Outgoing]:
        if alert.told_at is None or alert.acknowledged_by or not alert.notice.is_firing:
            return
        for seconds, receivers in repeats(self.routes, alert):
            number = int((now - alert.told_at) / timedelta(seconds=seconds))
            if number > alert.repeats:
                self._put(replace(self.alerts[alert.key], repeats=number))
                notice = replace(alert.notice, id=f"{alert.notice.id}.repeat{number}", cause=Cause.REPEAT)
                yield from (alert.outgoing(name, notice) for name in receivers)
        for seconds, name in escalations(self.routes, alert):
            known = self.alerts[alert.key]
            if name not in known.escalated and now >= alert.told_at + timedelta(seconds=seconds):
                self._put(replace(known, escalated=(*known.escalated, name)))
                notice = replace(alert.notice, id=f"{alert.notice.id}.up", cause=Cause.ESCALATION)
                yield alert.outgoing(name, notice)

    def _is_over(self, alert: Alert) -> bool:
        """Whether a slow service is fast again, or nobody watches the service any more: over without a word."""
        if alert.service_id is None:
            return False
        state = self.world.states().get(alert.service_id)
        is_slowness = alert.key.startswith(EventType.HIGH_LATENCY)
        return state is None or (is_slowness and state.is_confirmed and not state.is_slow)

    def _flaps(self, event: Event, now: datetime) -> list[Outgoing]:
        if not event.data.get("is_flapping"):
            return self._evaluate(f"{EventType.SERVICE_DOWN}:{event.service_id}", now)
        return self._pass_on(self._notice(event), now)

    def _pass_on(self, notice: Notice, now: datetime) -> list[Outgoing]:
        """Tell a fact that does not last, unless a silence covers it."""
        labels = self._labels(notice)
        alert = Alert("", notice, notice.timestamp, labels)
        stages = [stage for stage in BEFORE_FIRING if stage not in BEFORE_RESOLVING]
        if any(stage(alert, self.world, now) for stage in stages):
            return []
        return [Outgoing(name, notice) for name in receivers_of(self.routes, notice, labels)]

    def _isolation(self, now: datetime) -> list[Outgoing]:
        """Tell once that nobody answers any more, and once that somebody does."""
        known = self.alerts.get(ISOLATED)
        if known is None and self.world.is_isolated(now) and self._has_untold_alerts():
            message = "no service can be reached: the monitor itself seems to be cut off"
            notice = _about_us(f"isolated-{now:%Y%m%dT%H%M%S}", message, now, Severity.CRITICAL)
            self._put(Alert(ISOLATED, notice, now, self._labels(notice)))
            return self._evaluate(ISOLATED, now)
        if known is not None and not self.world.is_isolated(now):
            notice = _about_us(f"{known.notice.id}.over", "services can be reached again", now, Severity.INFO)
            self._put(replace(known, notice=replace(notice, is_firing=False)))
            return self._evaluate(ISOLATED, now)
        return []

    def _has_untold_alerts(self) -> bool:
        return any(alert.told_id is None and alert.service_id for alert in self.alerts.values())

    def _put(self, alert: Alert) -> None:
        self.alerts[alert.key] = alert
        self.changed.add(alert.key)

    def _drop(self, key: str) -> None:
        if self.alerts.pop(key, None) is not None:
            self.changed.add(key)


def _about_us(id_: str, message: str, now: datetime, severity: Severity) -> Notice:
    return Notice(id_, EventType.SYSTEM_ALERT.value, None, None, message, now, severity=severity, critical=True)
