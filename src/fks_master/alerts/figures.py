"""What `/metrics` tells of alerts and of their way to people."""

from collections import Counter
from collections.abc import Iterable, Mapping

from fks_master.alerts.notice import Alert
from fks_master.alerts.outbox import Lane
from fks_master.model import Family


def families(alerts: Iterable[Alert], lanes: Mapping[str, Lane], silences: int) -> list[Family]:
    active = Counter((alert.notice.severity.value, alert.state.value) for alert in alerts)
    each = [({"receiver": lane.receiver.name, "kind": lane.receiver.kind}, lane) for lane in lanes.values()]
    ended = [({**labels, "result": "sent"}, float(lane.sent)) for labels, lane in each]
    ended += [({**labels, "result": "refused"}, float(lane.refused)) for labels, lane in each]
    return [
        Family(
            "fks_alerts_active", "gauge", "Alerts that are open: told, acknowledged, or muted by a rule or a person.",
            tuple(({"severity": severity, "state": state}, float(n)) for (severity, state), n in active.items()),
        ),
        Family("fks_alerts_silences", "gauge", "Silences that people made and that last.", (({}, float(silences)),)),
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
