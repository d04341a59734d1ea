"""PagerDuty: Events API v2, an event a notice; all of one episode of an alert share a `dedup_key`.

Format: https://developer.pagerduty.com/docs/send-alert-event
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from fks_master.alerts.notice import Cause, Notice
from fks_master.alerts.notify import text
from fks_master.alerts.notify.message import Receiver, Request

URL = "https://events.pagerduty.com/v2/enqueue"
MOST_SUMMARY = 1024
MOST_KEY = 255


def render(receiver: Receiver, notices: Sequence[Notice], _: datetime) -> Request:
    notice = notices[0]
    event = {
        "routing_key": receiver.secret,
        "event_action": _action(notice),
        "dedup_key": (notice.thread or f"{notice.event_type}:{notice.service_id or 'fks_master'}")[-MOST_KEY:],
        **(_trigger(receiver, notice) if _action(notice) == "trigger" else {}),
    }
    return Request(receiver.url or URL, msgspec.json.encode(event), {"Content-Type": "application/json"})


def _action(notice: Notice) -> str:
    if notice.cause is Cause.ACKNOWLEDGEMENT:
        return "acknowledge"
    return "trigger" if notice.is_firing else "resolve"


def _trigger(receiver: Receiver, notice: Notice) -> dict[str, object]:
    link = text.link(receiver, notice)
    payload = {
        "summary": text.cut(text.line(notice), MOST_SUMMARY),
        "source": notice.service_id or "fks_master",
        "severity": notice.severity.value,
        "timestamp": notice.timestamp,
        "component": notice.service_name or "FKS Master",
        "class": notice.event_type,
        "custom_details": {**notice.data, "event_id": notice.id},
    }
    client = {"client": "FKS Master", **({"client_url": link} if link else {})}
    return {**client, "payload": payload, "links": [{"href": link, "text": "Open"}] if link else []}
