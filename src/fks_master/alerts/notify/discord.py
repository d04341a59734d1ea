"""Discord: a webhook with embeds; nobody is pinged.

Format and limits: https://discord.com/developers/docs/resources/message#embed-object
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from fks_master.alerts.notice import Notice
from fks_master.alerts.notify import text
from fks_master.alerts.notify.message import Receiver, Request

MOST_EMBEDS = 10
MOST_TITLE = 250
MOST_VALUE = 500
MOST_CHARACTERS = 5500  # of all embeds together; Discord's own limit is 6000
MOST_CONTENT = 1900
_MARKS = re.compile(r"([\\*_~|`>\[\]])")


def render(receiver: Receiver, notices: Sequence[Notice], _: datetime) -> Request:
    embeds = list(_fitting(_embed(receiver, notice) for notice in text.shown(notices, MOST_EMBEDS)))
    lines = [text.title(notices)] if len(notices) > 1 else []
    lines += filter(None, [text.rest(notices, len(embeds))])
    body = {
        "content": text.fitting("\n".join(lines), MOST_CONTENT, _escape),
        "embeds": embeds,
        "allowed_mentions": {"parse": []},
    }
    return Request(receiver.url, msgspec.json.encode(body), {"Content-Type": "application/json"})


def _embed(receiver: Receiver, notice: Notice) -> dict[str, Any]:
    link = text.link(receiver, notice)
    return {
        "title": f"{text.mark(notice)} {text.fitting(text.line(notice), MOST_TITLE, _escape)}",
        "color": text.colour(notice),
        "timestamp": notice.timestamp.isoformat(),
        "fields": [
            {"name": name, "value": text.fitting(value, MOST_VALUE, _escape), "inline": len(value) < 40}
            for name, value in text.details(notice)
        ],
        **({"url": link} if link else {}),
    }


def _fitting(embeds: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Give embeds for as long as there is room; the first always fits."""
    left = MOST_CHARACTERS
    for embed in embeds:
        left -= len(embed["title"]) + sum(len(one["name"]) + len(one["value"]) for one in embed["fields"])
        if left < 0:
            return
        yield embed


def _escape(words: str) -> str:
    """Make sure that an error text can neither format nor fake a link."""
    return _MARKS.sub(r"\\\1", words)
