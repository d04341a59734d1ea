"""Telegram: a message of a bot.

Format: https://core.telegram.org/bots/api#sendmessage
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from fks_master.alerts.notice import Notice
from fks_master.alerts.notify import text
from fks_master.alerts.notify.message import Receiver, Request

URL = "https://api.telegram.org"
MOST_CHARACTERS = 4000
MOST_VALUE = 500
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


def render(receiver: Receiver, notices: Sequence[Notice], _: datetime) -> Request:
    paragraphs = [_paragraph(receiver, notice) for notice in text.shown(notices, len(notices))]
    if len(notices) > 1:
        paragraphs.insert(0, f"<b>{_escape(text.title(notices))}</b>")
    body: dict[str, object] = {
        "chat_id": receiver.telegram.chat_id,
        "text": "\n\n".join(text.within(paragraphs, MOST_CHARACTERS)),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
        "disable_notification": not any(notice.is_firing for notice in notices),
    }
    if receiver.telegram.topic:
        body["message_thread_id"] = receiver.telegram.topic
    url = f"{(receiver.url or URL).rstrip('/')}/bot{receiver.secret}/sendMessage"
    return Request(url, msgspec.json.encode(body), {"Content-Type": "application/json"})


def _paragraph(receiver: Receiver, notice: Notice) -> str:
    lines = [f"{text.mark(notice)} <b>{_escape(text.cut(text.line(notice), MOST_VALUE))}</b>"]
    lines += [f"{name}: {_escape(text.cut(value, MOST_VALUE))}" for name, value in text.details(notice)]
    if link := text.link(receiver, notice):
        lines.append(f'<a href="{_escape(link)}">Open</a>')
    return "\n".join(lines)


def _escape(words: str) -> str:
    return words.translate(_ESCAPES)
