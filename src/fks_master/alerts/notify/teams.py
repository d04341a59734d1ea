"""Teams: an Adaptive Card to a workflow ("When a Teams webhook request is received").

What others wrote goes into text runs, in which Teams reads no Markdown. Format:
https://adaptivecards.io/explorer/RichTextBlock.html; a message holds at most 28 KB.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from fks_master.alerts.notice import Notice, Severity
from fks_master.alerts.notify import text
from fks_master.alerts.notify.message import Receiver, Request

MOST_BYTES = 27_000
MOST_LINE = 500
STYLES = {Severity.CRITICAL: "attention", Severity.WARNING: "warning", Severity.INFO: "accent"}


def render(receiver: Receiver, notices: Sequence[Notice], _: datetime) -> Request:
    """Show as many as fit."""
    most = text.MOST_SHOWN
    while len(body := msgspec.json.encode(_message(receiver, notices, most))) > MOST_BYTES and most > 1:
        most -= 1
    return Request(receiver.url, body, {"Content-Type": "application/json"})


def _message(receiver: Receiver, notices: Sequence[Notice], most: int) -> dict[str, object]:
    shown = text.shown(notices, most)
    blocks = [_container(notice) for notice in shown]
    if len(notices) > 1:
        blocks.insert(0, _rich(_run(text.title(notices), size="Large", weight="Bolder")))
    if more := text.rest(notices, most):
        blocks.append(_rich(_run(more, isSubtle=True)))
    link = text.link(receiver, shown[0])
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": blocks,
        "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": link}] if link else [],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _container(notice: Notice) -> dict[str, object]:
    style = STYLES[notice.severity] if notice.is_firing else "good"
    lines = [_rich(_run(f"{text.mark(notice)} {text.line(notice)}", weight="Bolder"))]
    lines += [_rich(_run(f"{name}: ", isSubtle=True), _run(value)) for name, value in text.details(notice)]
    return {"type": "Container", "style": style, "spacing": "Medium", "items": lines}


def _rich(*runs: dict[str, object]) -> dict[str, object]:
    return {"type": "RichTextBlock", "inlines": list(runs), "spacing": "Small"}


def _run(words: str, **more: object) -> dict[str, object]:
    return {"type": "TextRun", "text": text.cut(words, MOST_LINE), **more}
