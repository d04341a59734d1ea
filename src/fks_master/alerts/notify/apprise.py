"""Apprise: whatever it knows; https://github.com/caronc/apprise/wiki lists the services and their addresses."""

from collections.abc import Sequence
from datetime import datetime

from fks_master.alerts.notice import Notice, Severity
from fks_master.alerts.notify import text
from fks_master.alerts.notify.message import Push, Receiver

KINDS = {Severity.CRITICAL: "failure", Severity.WARNING: "warning", Severity.INFO: "info"}
MOST_TITLE = 200


def render(receiver: Receiver, notices: Sequence[Notice], _: datetime) -> Push:
    first = text.shown(notices, 1)[0]
    link = text.link(receiver, first)
    words = text.plain(notices) + (f"\n\n{link}" if link else "")
    kind = KINDS[first.severity] if first.is_firing else "success"
    return Push(receiver.url, text.cut(text.title(notices), MOST_TITLE), words, kind)
