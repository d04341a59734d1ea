"""Slack: an incoming webhook, one attachment of blocks a notice, its bar in the colour of the severity.

Format: https://docs.slack.dev/reference/block-kit/blocks
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from fks_master.alerts.notice import Notice
from fks_master.alerts.notify import text
from fks_master.alerts.notify.message import Receiver, Request

MOST_SHOWN = 15  # of three blocks each, of which a message holds fifty
MOST_TEXT = 2900
MOST_FIELDS = 10
MOST_VALUE = 1900
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def render(receiver: Receiver, notices: Sequence[Notice], _: datetime) -> Request:
    attachments = [_attachment(receiver, notice) for notice in text.shown(notices, MOST_SHOWN)]
    if more := text.rest(notices, MOST_SHOWN):
        attachments.append({"blocks": [_section(more)], "fallback": more})
    body = {"text": text.fitting(text.title(notices), MOST_TEXT, _escape), "attachments": attachments}
    return Request(receiver.url, msgspec.json.encode(body), {"Content-Type": "application/json"})


def _attachment(receiver: Receiver, notice: Notice) -> dict[str, object]:
    line = text.fitting(text.line(notice), MOST_TEXT, _escape)
    blocks = [_section(f"{text.mark(notice)} *{line}*")]
    if details := text.details(notice)[:MOST_FIELDS]:
        blocks.append({"type": "section", "fields": [_words(f"*{name}*\n{_value(value)}") for name, value in details]})
    blocks.append({"type": "context", "elements": [_words(_context(receiver, notice))]})
    return {"color": f"#{text.colour(notice):06x}", "fallback": line, "blocks": blocks}


def _context(receiver: Receiver, notice: Notice) -> str:
    """Give the moment in the reader's own time zone, and the way to our page."""
    moment = notice.timestamp
    when = f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time_secs}}|{moment:%Y-%m-%d %H:%M:%S} UTC>"
    link = text.link(receiver, notice)
    return f"{when} · <{link}|Open>" if link else when


def _section(words: str) -> dict[str, object]:
    return {"type": "section", "text": _words(words)}


def _words(words: str) -> dict[str, object]:
    return {"type": "mrkdwn", "text": words, "verbatim": True}  # what looks like a link or a channel becomes none


def _value(value: str) -> str:
    return text.fitting(value, MOST_VALUE, _escape)


def _escape(words: str) -> str:
    """Make sure that an error text can neither ping a channel nor fake a link."""
    return words.translate(_ESCAPES)
