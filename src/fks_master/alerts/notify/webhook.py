"""The generic webhook: JSON as the contract has it, signed when there is a secret."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import msgspec

from fks_master.alerts.notice import Notice
from fks_master.alerts.notify.request import Receiver, Request


def gravest(notices: Sequence[Notice]) -> Notice:
    return min(notices, key=lambda notice: (notice.severity.rank, notice.timestamp))


def render(receiver: Receiver, notices: Sequence[Notice]) -> Request:
    """Write the gravest at the top, and all of them in `events` when there are several."""
    body = fields(gravest(notices))
    if len(notices) > 1:
        body["events"] = [fields(notice) for notice in notices]
    return Request(receiver.url, msgspec.json.encode(body), {"Content-Type": "application/json"})


def fields(notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.id,
        "event_type": notice.event_type,
        "service_id": notice.service_id,
        "service_name": notice.service_name,
        "message": notice.message,
        "timestamp": notice.timestamp,
        "severity": notice.severity.value,
        "critical": notice.critical,
        "status": "firing" if notice.is_firing else "resolved",
        "cause": notice.cause.value,
        "data": notice.data,
    }


def signed(request: Request, secret: str, timestamp: int) -> Request:
    """Add the HMAC of `timestamp.body`, so that the receiver can tell ours from others' and from old ones."""
    stamp = str(timestamp)
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    headers = {**request.headers, "X-FKS-Timestamp": stamp, "X-FKS-Signature": f"sha256={digest}"}
    return msgspec.structs.replace(request, headers=headers)
