"""Gatus' `alerting`: one table a kind of receiver."""

from collections.abc import Callable, Mapping
from typing import Any

from fks_master.imports.draft import Draft, Values

Settings = Mapping[str, Any]


def add(draft: Draft, alerting: Mapping[str, Any]) -> dict[str, str]:
    """Add what we have a kind for; gives our name for each of its kinds."""
    names: dict[str, str] = {}
    for kind, settings in alerting.items():
        make = KINDS.get(str(kind))
        if make is None or not isinstance(settings, dict):
            draft.leave_out(
                str(kind), "no such kind of receiver; kind apprise knows most services: give it its address"
            )
            continue
        if settings.get("overrides"):
            draft.remarks.append(f"{kind!r}: its overrides for groups are missing; see [[alerts.routes]]")
        if found := draft.add_receiver(str(kind), make(settings)):
            names[str(kind)] = found
    return names


def _address(kind: str, key: str = "webhook-url") -> Callable[[Settings], Values]:
    return lambda settings: {"kind": kind, "url": str(settings.get(key) or "")}


def _telegram(settings: Settings) -> Values:
    return {
        "kind": "telegram",
        "secret": str(settings.get("token") or ""),
        "telegram": {"chat_id": str(settings.get("id") or "")},
    }


def _ntfy(settings: Settings) -> Values:
    server = str(settings.get("url") or "https://ntfy.sh").rstrip("/")
    found = {"kind": "ntfy", "url": f"{server}/{settings.get('topic') or ''}"}
    return {**found, "secret": str(settings["token"])} if settings.get("token") else found


def _mail(settings: Settings) -> Values:
    port = str(settings.get("port") or 587)
    to = [each.strip() for each in str(settings.get("to") or "").split(",") if each.strip()]
    email: Values = {"from": str(settings.get("from") or ""), "to": to}
    scheme = "smtps" if port == "465" else "smtp"
    found: Values = {"kind": "email", "url": f"{scheme}://{settings.get('host') or ''}:{port}"}
    if settings.get("password"):
        email["username"] = str(settings.get("username") or settings.get("from") or "")
        found["secret"] = str(settings["password"])
    return {**found, "email": email}


KINDS: dict[str, Callable[[Settings], Values]] = {
    "slack": _address("slack"),
    "discord": _address("discord"),
    "teams": _address("teams"),
    "teams-workflows": _address("teams"),
    "custom": _address("webhook", "url"),
    "pagerduty": lambda settings: {"kind": "pagerduty", "secret": str(settings.get("integration-key") or "")},
    "telegram": _telegram,
    "ntfy": _ntfy,
    "email": _mail,
}
