"""Which notice goes to whom."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from fks_master.alerts.matchers import fits_all
from fks_master.alerts.notice import Alert, Notice
from fks_master.alerts.silences import fits

A_MOMENT = timedelta(seconds=5)  # what is late by no more keeps its pace


class Route(msgspec.Struct, frozen=True):
    """Sends what fits all its conditions to its receivers; an empty condition fits everything.

    `repeat_seconds` 0 tells once. `escalate_to` hears what nobody acknowledged after `escalate_after_seconds`.
    """

    receivers: tuple[str, ...]
    severities: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    event_types: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    where: tuple[str, ...] = ()
    repeat_seconds: float = 0.0
    escalate_to: tuple[str, ...] = ()
    escalate_after_seconds: float = 0.0

    def takes(self, notice: Notice, labels: dict[str, str]) -> bool:
        # The end of an alert is told to whoever heard of its beginning: its own, lower severity must not divert it.
        severity = labels.get("severity", notice.severity.value)
        return (
            (not self.severities or severity in self.severities)
            and (not self.services or notice.service_id in self.services)
            and (not self.event_types or notice.event_type in self.event_types)
            and fits(self.labels, labels)
            and fits_all(self.where, labels)
        )


def receivers_of(routes: tuple[Route, ...], notice: Notice, labels: dict[str, str]) -> tuple[str, ...]:
    """Name every receiver of every route that fits, each once."""
    return tuple(dict.fromkeys(name for route in routes if route.takes(notice, labels) for name in route.receivers))


def due_escalations(routes: tuple[Route, ...], alert: Alert, now: datetime) -> list[str]:
    """Name who is to hear now of an alert that nobody acknowledged."""
    waits = _soonest(
        (name, route.escalate_after_seconds)
        for route in routes
        if route.escalate_to and route.takes(alert.notice, alert.labels)
        for name in route.escalate_to
    )
    told_at = alert.told_at or now
    return [
        name
        for name, seconds in waits.items()
        if name not in alert.escalated and now >= told_at + timedelta(seconds=seconds)
    ]


def due_repeats(routes: tuple[Route, ...], alert: Alert, now: datetime) -> dict[str, datetime]:
    """Give who is to be reminded now, and since when: where routes differ, as often as one of them wants."""
    paces = _soonest(
        (name, route.repeat_seconds)
        for route in routes
        if route.repeat_seconds and route.takes(alert.notice, alert.labels)
        for name in route.receivers
    )
    due = {}
    for name, seconds in paces.items():
        last, pace = alert.reminded.get(name, alert.told_at or now), timedelta(seconds=seconds)
        if now >= last + pace:
            in_time = last + (now - last) // pace * pace
            due[name] = in_time if now - in_time <= A_MOMENT else now
    return due


def _soonest(wanted: Iterable[tuple[str, float]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, seconds in wanted:
        found[name] = min(seconds, found.get(name, seconds))
    return found
