"""Slack: an incoming webhook, one attachment a notice.

Format: https://docs.slack.dev/messaging/formatting-message-text
"""

from collections.abc import Sequence

import msgspec

from fks_master.alerts.notice import Notice
from fks_master.alerts.notify import text
from fks_master.alerts.notify.request import Receiver, Request

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def render(receiver: Receiver, notices: Sequence[Notice]) -> Request:
    more = text.rest(notices)
    attachments = [_attachment(notice) for notice in text.shown(notices)]
    body = {"text": _escape(text.title(notices)), "attachments": [*attachments, *([{"text": more}] if more else [])]}
    return Request(receiver.url, msgspec.json.encode(body), {"Content-Type": "application/json"})


def _attachment(notice: Notice) -> dict[str, object]:
    fields = [
        {"title": name, "value": _escape(value), "short": len(value) < 40} for name, value in text.details(notice)
    ]
    return {
        "color": f"#{text.colour(notice):06x}",
        "fallback": _escape(text.line(notice)),
        "text": f"{text.mark(notice)} {_escape(text.line(notice))}",
        "fields": fields,
        "ts": int(notice.timestamp.timestamp()),
    }


def _escape(words: str) -> str:
    """Make sure that an error text can neither ping a channel nor fake a link."""
    return words.translate(_ESCAPES)
