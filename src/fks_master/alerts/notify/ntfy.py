"""ntfy: a push message to a topic, with priority, tags and a page to open.

Format: https://docs.ntfy.sh/publish/#publish-as-json
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from fks_master.alerts.notice import Notice, Severity
from fks_master.alerts.notify import text
from fks_master.alerts.notify.message import Receiver, Request

MOST_TITLE = 200
MOST_BYTES = 3900  # what is longer than 4096 becomes an attached file
PRIORITIES = {Severity.CRITICAL: 5, Severity.WARNING: 4, Severity.INFO: 3}
TAGS = {Severity.CRITICAL: "rotating_light", Severity.WARNING: "warning", Severity.INFO: "information_source"}


def render(receiver: Receiver, notices: Sequence[Notice], _: datetime) -> Request:
    server, topic = parts(receiver.url)
    first = text.shown(notices, 1)[0]
    words = text.plain(notices).encode()[:MOST_BYTES].decode("utf-8", "ignore")
    link = text.link(receiver, first)
    body = {
        "topic": topic,
        "title": text.cut(text.title(notices), MOST_TITLE),
        "message": words,
        "priority": PRIORITIES[first.severity] if first.is_firing else 3,
        "tags": [TAGS[first.severity] if first.is_firing else "white_check_mark", *receiver.ntfy.tags],
        **({"click": link} if link else {}),
    }
    headers = {"Content-Type": "application/json"}
    if receiver.secret:
        headers["Authorization"] = f"Bearer {receiver.secret}"
    return Request(server, msgspec.json.encode(body), headers)


def parts(url: str) -> tuple[str, str]:
    """Split the address of a topic into that of its server, and its name."""
    server, _, topic = url.partition("?")[0].rstrip("/").rpartition("/")
    return f"{server}/", topic
