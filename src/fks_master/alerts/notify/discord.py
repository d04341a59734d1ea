"""Discord: a webhook with embeds; nobody is pinged.

Format: https://discord.com/developers/docs/resources/webhook
"""

from collections.abc import Sequence

import msgspec

from fks_master.alerts.notice import Notice
from fks_master.alerts.notify import text
from fks_master.alerts.notify.request import Receiver, Request

MOST_EMBEDS = 10


def render(receiver: Receiver, notices: Sequence[Notice]) -> Request:
    embeds = [_embed(notice) for notice in text.shown(notices)[:MOST_EMBEDS]]
    body = {"content": text.title(notices)[:1900], "embeds": embeds, "allowed_mentions": {"parse": []}}
    return Request(receiver.url, msgspec.json.encode(body), {"Content-Type": "application/json"})


def _embed(notice: Notice) -> dict[str, object]:
    return {
        "title": f"{text.mark(notice)} {text.line(notice)}"[:250],
        "color": text.colour(notice),
        "timestamp": notice.timestamp.isoformat(),
        "fields": [
            {"name": name, "value": value[:250], "inline": len(value) < 40} for name, value in text.details(notice)
        ],
    }
