"""Notifications of Uptime Kuma: each is a table of its own keys, kept as JSON inside of the JSON."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fks_master.imports.draft import Draft, Values

Settings = Mapping[str, Any]


def add(draft: Draft, notifications: Iterable[Any]) -> dict[str, str]:
    """Add what we have a kind for; gives our name for each of its ids."""
    names: dict[str, str] = {}
    for each in notifications:
        if not isinstance(each, dict):
            continue
        settings = _settings(each)
        name, kind = str(each.get("name") or settings.get("name") or "receiver"), str(settings.get("type"))
        make = KINDS.get(kind.lower())
        if make is None:
            hint = "kind apprise knows most services: give it its address"
            draft.leave_out(name, f"a notification of type {kind!r}; {hint}")
            continue
        found = draft.add_receiver(name, make(settings))
        if found:
            names[str(each.get("id"))] = found
    return names


def _settings(notification: Settings) -> Settings:
    config = notification.get("config")
    if isinstance(config, str):
        try:
            config = json.loads(config)
        except (ValueError, RecursionError):
            config = None
    return config if isinstance(config, dict) else notification


def _address(kind: str, key: str) -> Callable[[Settings], Values]:
    return lambda settings: {"kind": kind, "url": str(settings.get(key) or "")}


def _telegram(settings: Settings) -> Values:
    chat = str(settings.get("telegramChatID") or "")
    return {"kind": "telegram", "secret": str(settings.get("telegramBotToken") or ""), "telegram": {"chat_id": chat}}


def _ntfy(settings: Settings) -> Values:
    server = str(settings.get("ntfyserverurl") or "https://ntfy.sh").rstrip("/")
    found = {"kind": "ntfy", "url": f"{server}/{settings.get('ntfytopic') or ''}"}
    token = settings.get("ntfyaccesstoken")
    return {**found, "secret": str(token)} if token else found


def _pagerduty(settings: Settings) -> Values:
    return {"kind": "pagerduty", "secret": str(settings.get("pagerdutyIntegrationKey") or "")}


def _mail(settings: Settings) -> Values:
    is_tls = settings.get("smtpSecure") is True
    to = [each.strip() for each in str(settings.get("smtpTo") or "").split(",") if each.strip()]
    email: Values = {"from": str(settings.get("smtpFrom") or ""), "to": to}
    found: Values = {"kind": "email", "url": f"smtp{'s' if is_tls else ''}://{settings.get('smtpHost') or ''}"}
    if settings.get("smtpPort"):
        found["url"] += f":{settings['smtpPort']}"
    if settings.get("smtpUsername"):
        email["username"] = str(settings["smtpUsername"])
        found["secret"] = str(settings.get("smtpPassword") or "")
    if not is_tls and settings.get("smtpIgnoreSTARTTLS"):
        email["starttls"] = False
    return {**found, "email": email}


KINDS: dict[str, Callable[[Settings], Values]] = {
    "slack": _address("slack", "slackwebhookURL"),
    "discord": _address("discord", "discordWebhookUrl"),
    "teams": _address("teams", "webhookUrl"),
    "webhook": _address("webhook", "webhookURL"),
    "apprise": _address("apprise", "appriseURL"),
    "telegram": _telegram,
    "ntfy": _ntfy,
    "pagerduty": _pagerduty,
    "smtp": _mail,
}
