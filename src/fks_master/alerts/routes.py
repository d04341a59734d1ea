"""Which notice goes to whom."""

import msgspec

from fks_master.alerts.matchers import fits_all
from fks_master.alerts.notice import Alert, Notice
from fks_master.alerts.silences import fits


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


def escalations(routes: tuple[Route, ...], alert: Alert) -> list[tuple[float, str]]:
    """Give who is to hear of an alert that nobody acknowledges, and after how many seconds."""
    taking = [route for route in routes if route.takes(alert.notice, alert.labels)]
    return [(route.escalate_after_seconds, name) for route in taking for name in route.escalate_to]


def repeats(routes: tuple[Route, ...], alert: Alert) -> list[tuple[float, tuple[str, ...]]]:
    taking = [route for route in routes if route.repeat_seconds and route.takes(alert.notice, alert.labels)]
    return [(route.repeat_seconds, route.receivers) for route in taking]
