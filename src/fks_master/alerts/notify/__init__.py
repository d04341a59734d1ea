"""One kind of receiver a file: from notices to a message, and from an address to its kind."""

from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import urlsplit

import msgspec

from fks_master.alerts.notice import Notice
from fks_master.alerts.notify import apprise, discord, ntfy, pagerduty, slack, teams, telegram, template, webhook
from fks_master.alerts.notify.message import Answer, Mail, Message, Push, Receiver, Request, Verdict

Render = Callable[[Receiver, Sequence[Notice], datetime], Message]


class Kind(msgspec.Struct, frozen=True):
    """How notices for a receiver of this kind are written.

    `most_at_once` is how many fit into one message. One that `keeps_alerts` of its own hears what people need not be
    told: that somebody has an alert in hand, and that one is over without a word.
    """

    render: Render
    most_at_once: int = 1000
    keeps_alerts: bool = False


def _render_email(receiver: Receiver, notices: Sequence[Notice], now: datetime) -> Message:
    from fks_master.alerts.notify import email  # noqa: PLC0415 - Python's e-mail package is 1 MB

    return email.render(receiver, notices, now)


KINDS = {
    "webhook": Kind(webhook.render),
    "slack": Kind(slack.render),
    "discord": Kind(discord.render),
    "teams": Kind(teams.render),
    "email": Kind(_render_email),
    "pagerduty": Kind(pagerduty.render, most_at_once=1, keeps_alerts=True),
    "ntfy": Kind(ntfy.render),
    "telegram": Kind(telegram.render),
    "apprise": Kind(apprise.render),
}

__all__ = [
    "KINDS", "Answer", "Kind", "Mail", "Message", "Push", "Receiver", "Render", "Request", "Verdict", "kind_of_address",
    "most_at_once",
]  # fmt: skip


def most_at_once(receiver: Receiver) -> int:
    """Say how many notices fit into one message; a template that shows but one of them gets each alone."""
    body = receiver.webhook.body
    if receiver.kind == "webhook" and body is not None and not template.shows_all(body):
        return 1
    return KINDS[receiver.kind].most_at_once


def kind_of_address(url: str) -> str:
    """Recognise the services that want a format of their own by their addresses."""
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        return "webhook"
    if host in {"hooks.slack.com", "hooks.slack-gov.com"}:
        return "slack"
    if host in {"discord.com", "discordapp.com"} or host.endswith(".discord.com"):
        return "discord"
    if host.endswith((".webhook.office.com", ".logic.azure.com", ".environment.api.powerplatform.com")):
        return "teams"
    return "webhook"
