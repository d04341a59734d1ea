"""Teams: an Adaptive Card to a workflow.

Format: https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors
"""

from collections.abc import Sequence

import msgspec

from fks_master.alerts.notice import Notice
from fks_master.alerts.notify import text
from fks_master.alerts.notify.request import Receiver, Request


def render(receiver: Receiver, notices: Sequence[Notice]) -> Request:
    blocks: list[dict[str, object]] = [
        {"type": "TextBlock", "text": text.title(notices), "weight": "Bolder", "size": "Medium", "wrap": True}
    ]
    for notice in text.shown(notices):
        facts = [{"title": name, "value": value} for name, value in text.details(notice)]
        line = {"type": "TextBlock", "text": f"{text.mark(notice)} {text.line(notice)}", "wrap": True}
        blocks += [line, {"type": "FactSet", "facts": facts}]
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "body": blocks,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    body = msgspec.json.encode({"type": "message", "attachments": [attachment]})
    return Request(receiver.url, body, {"Content-Type": "application/json"})
