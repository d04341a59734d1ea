"""The generic webhook: JSON as the contract has it or a template of the user's own, signed when there is a secret."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from fks_master.alerts.notice import Notice
from fks_master.alerts.notify import template, text
from fks_master.alerts.notify.message import Receiver, Request


def render(receiver: Receiver, notices: Sequence[Notice], now: datetime) -> Request:
    options = receiver.webhook
    body = _contract(notices) if options.body is None else _templated(receiver, notices, options.body)
    headers = {"Content-Type": options.content_type, **_headers(receiver, notices), **receiver.headers}
    request = Request(receiver.url, body, headers, options.method.value)
    return signed(request, receiver.secret, int(now.timestamp())) if receiver.secret else request


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
        "thread": notice.thread,
        "data": notice.data,
    }


def signed(request: Request, secret: str, timestamp: int) -> Request:
    """Add the HMAC of `timestamp.body`, so that the receiver can tell ours from others' and from old ones."""
    stamp = str(timestamp)
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    headers = {**request.headers, "X-FKS-Timestamp": stamp, "X-FKS-Signature": f"sha256={digest}"}
    return msgspec.structs.replace(request, headers=headers)


def _contract(notices: Sequence[Notice]) -> bytes:
    """Write the gravest at the top, and all of them in `events` when there are several."""
    body = fields(text.gravest(notices))
    if len(notices) > 1:
        body["events"] = [fields(notice) for notice in notices]
    return msgspec.json.encode(body)


def _templated(receiver: Receiver, notices: Sequence[Notice], body: str) -> bytes:
    escape = template.escape_for(receiver.webhook.content_type)
    return template.fill(body, _values(receiver, notices), escape).encode("utf-8", "replace")


def _headers(receiver: Receiver, notices: Sequence[Notice]) -> dict[str, str]:
    wanted = receiver.webhook.headers
    values = _values(receiver, notices) if any("{" in value for value in wanted.values()) else {}
    return {name: template.fill(value, values, template.for_header) for name, value in wanted.items()}


def _values(receiver: Receiver, notices: Sequence[Notice]) -> dict[str, Any]:
    first = text.gravest(notices)
    events = [fields(notice) for notice in notices]
    return {
        **fields(first),
        "count": len(notices),
        "title": text.title(notices),
        "text": text.plain(notices),
        "link": text.link(receiver, first),
        "events": msgspec.json.encode(events).decode(),
    }
