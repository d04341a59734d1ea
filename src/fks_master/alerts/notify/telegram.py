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
MOST_SHORT = 200
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


def render(receiver: Receiver, notices: Sequence[Notice], _: datetime) -> Request:
    write = _paragraph if len(notices) <= text.FEW else _short
    paragraphs = [write(receiver, notice) for notice in text.shown(notices, len(notices))]
    if len(notices) > 1:
        paragraphs.insert(0, f"<b>{text.fitting(text.title(notices), MOST_VALUE, _escape)}</b>")
    body: dict[str, object] = {
        "chat_id": receiver.telegram.chat_id,
        "text": ("\n\n" if len(notices) <= text.FEW else "\n").join(text.within(paragraphs, MOST_CHARACTERS)),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
        "disable_notification": not any(notice.is_firing for notice in notices),
    }
    if receiver.telegram.topic:
        body["message_thread_id"] = receiver.telegram.topic
    url = f"{(receiver.url or URL).rstrip('/')}/bot{receiver.secret}/sendMessage"
    return Request(url, msgspec.json.encode(body), {"Content-Type": "application/json"})


def _paragraph(receiver: Receiver, notice: Notice) -> str:
    lines = [f"{text.mark(notice)} <b>{text.fitting(text.line(notice), MOST_VALUE, _escape)}</b>"]
    lines += [f"{name}: {text.fitting(value, MOST_VALUE, _escape)}" for name, value in text.details(notice)]
    if link := text.link(receiver, notice):
        lines.append(f'<a href="{_escape(link)}">Open</a>')
    return "\n".join(lines)


def _short(receiver: Receiver, notice: Notice) -> str:
    """Write one of many: a line that is a link."""
    line, link = text.fitting(text.line(notice), MOST_SHORT, _escape), text.link(receiver, notice)
    return f'{text.mark(notice)} <a href="{_escape(link)}">{line}</a>' if link else f"{text.mark(notice)} {line}"


def _escape(words: str) -> str:
    return words.translate(_ESCAPES)
