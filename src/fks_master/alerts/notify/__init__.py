"""One kind of receiver a file: from notices to a request, and from an address to its kind."""

from collections.abc import Callable, Sequence

from fks_master.alerts.notice import Notice
from fks_master.alerts.notify import discord, slack, teams, webhook
from fks_master.alerts.notify.request import Receiver, Request

Render = Callable[[Receiver, Sequence[Notice]], Request]

KINDS: dict[str, Render] = {
    "webhook": webhook.render,
    "slack": slack.render,
    "discord": discord.render,
    "teams": teams.render,
}

__all__ = ["KINDS", "Receiver", "Render", "Request", "kind_of_address"]


def kind_of_address(url: str) -> str:
    """Recognise the services that want a format of their own by their addresses."""
    host = url.partition("://")[2].partition("/")[0].lower()
    if host == "hooks.slack.com":
        return "slack"
    if host in {"discord.com", "discordapp.com"}:
        return "discord"
    if host.endswith((".webhook.office.com", ".logic.azure.com", ".environment.api.powerplatform.com")):
        return "teams"
    return "webhook"
