"""What `/metrics` tells of alerts and of their way to people."""

from collections import Counter
from collections.abc import Mapping

from fks_master.alerts.notice import AlertState
from fks_master.alerts.outbox import Lane
from fks_master.alerts.pipeline import Pipeline
from fks_master.alerts.stages import BEFORE_FIRING
from fks_master.model import Family


def families(pipeline: Pipeline, muted: tuple[int, int]) -> list[Family]:
    """Tell of alerts; `muted` is how many silences and planned windows last or are to come."""
    active = Counter((alert.notice.severity.value, alert.state.value) for alert in pipeline.alerts.values())
    states = Counter({state: sum(n for (_, one), n in active.items() if one == state) for state in AlertState})
    suppressed = {stage.__name__: pipeline.suppressed[stage.__name__] for stage in BEFORE_FIRING}
    silences, windows = muted
    return [
        Family(
            "fks_alerts_active", "gauge", "Alerts that are open: told, acknowledged, or muted by a rule or a person.",
            tuple(({"severity": severity, "state": state}, float(n)) for (severity, state), n in active.items()),
        ),
        Family(
            "fks_alerts_untold", "gauge", "Open alerts that nobody was told of, because no receiver takes them.",
            (({}, float(states[AlertState.FIRING])),),
        ),
        Family(
            "fks_alerts_opened_total", "counter", "Alerts that began.",
            tuple(
                ({"event_type": kind, "severity": severity}, float(n))
                for (kind, severity), n in pipeline.opened.items()
            ),
        ),
        Family(
            "fks_alerts_suppressed_total", "counter", "Alerts that were not told at once, by what spoke against it.",
            tuple(({"stage": stage}, float(n)) for stage, n in suppressed.items()),
        ),
        Family("fks_alerts_silences", "gauge", "Silences that people made and that last.", (({}, float(silences)),)),
        Family(
            "fks_alerts_maintenance_planned", "gauge", "Maintenance windows that people planned over the API.",
            (({}, float(windows)),),
        ),
    ]  # fmt: skip


def delivery_families(lanes: Mapping[str, Lane]) -> list[Family]:
    each = [({"receiver": lane.receiver.name, "kind": lane.receiver.kind}, lane) for lane in lanes.values()]
    ended = [({**labels, "result": "sent"}, float(lane.sent)) for labels, lane in each]
    ended += [({**labels, "result": "refused"}, float(lane.refused)) for labels, lane in each]
    return [
        Family("fks_notifications_total", "counter", "Notifications sent, or refused for good.", tuple(ended)),
        Family(
            "fks_notifications_tries_total", "counter", "Requests to receivers, those that failed included.",
            tuple((labels, float(lane.tried)) for labels, lane in each),
        ),
        Family(
            "fks_notifications_pending", "gauge", "Notifications that wait for their receiver.",
            tuple((labels, float(len(lane))) for labels, lane in each),
        ),
        Family(
            "fks_notifications_failing", "gauge", "1 while the last try to reach the receiver failed.",
            tuple((labels, float(lane.is_failing)) for labels, lane in each),
        ),
    ]  # fmt: skip
