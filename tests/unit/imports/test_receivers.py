import json
import tomllib
from typing import Any

import pytest

from fks_master.imports import gatus, uptime_kuma

TOKEN = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"


def receiver_of(text: str) -> dict[str, Any] | None:
    found = tomllib.loads(text)["alerts"].get("receivers", [None])[0]
    return {name: value for name, value in found.items() if name != "name"} if found else None


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"type": "discord", "discordWebhookUrl": "https://discord.com/api/webhooks/1/x"},
         {"kind": "discord", "url": "https://discord.com/api/webhooks/1/x"}),
        ({"type": "teams", "webhookUrl": "https://x.webhook.office.com/y"},
         {"kind": "teams", "url": "https://x.webhook.office.com/y"}),
        ({"type": "webhook", "webhookURL": "http://hook.example/"}, {"kind": "webhook", "url": "http://hook.example/"}),
        ({"type": "ntfy", "ntfyserverurl": "https://ntfy.example/", "ntfytopic": "ops", "ntfyaccesstoken": "tk"},
         {"kind": "ntfy", "url": "https://ntfy.example/ops", "secret": "tk"}),
        ({"type": "ntfy", "ntfytopic": "ops"}, {"kind": "ntfy", "url": "https://ntfy.sh/ops"}),
        ({"type": "PagerDuty", "pagerdutyIntegrationKey": "0123456789abcdef0123456789abcdef"},
         {"kind": "pagerduty", "secret": "0123456789abcdef0123456789abcdef"}),
        ({"type": "smtp", "smtpHost": "mail", "smtpSecure": True, "smtpFrom": "a@x.example", "smtpTo": "b@x.example"},
         {"kind": "email", "url": "smtps://mail", "email": {"from": "a@x.example", "to": ["b@x.example"]}}),
        ({"type": "smtp", "smtpHost": "mail", "smtpIgnoreSTARTTLS": True, "smtpFrom": "a@x.example",
          "smtpTo": "b@x.example"},
         {"kind": "email", "url": "smtp://mail",
          "email": {"from": "a@x.example", "to": ["b@x.example"], "starttls": False}}),
        ({"type": "telegram", "telegramBotToken": TOKEN, "telegramChatID": "nobody"}, None),
        ({"type": "slack", "slackwebhookURL": "not an address"}, None),
    ],
)  # fmt: skip
def test_a_notification_of_uptime_kuma_becomes_a_receiver(
    settings: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    notification = {"id": 1, "name": "One", "config": json.dumps(settings)}
    text = uptime_kuma.read(json.dumps({"monitorList": [], "notificationList": [notification, "?"]})).text()
    assert receiver_of(text) == expected
    assert ("'One' is left out" in text) is (expected is None)


def test_a_notification_that_holds_no_json_is_left_out() -> None:
    broken = {"id": 1, "name": "One", "config": "{"}
    assert "'One' is left out" in uptime_kuma.read(json.dumps({"monitorList": [], "notificationList": [broken]})).text()


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        ("discord", {"webhook-url": "https://discord.com/api/webhooks/1/x"},
         {"kind": "discord", "url": "https://discord.com/api/webhooks/1/x"}),
        ("teams-workflows", {"webhook-url": "https://x.logic.azure.com/y"},
         {"kind": "teams", "url": "https://x.logic.azure.com/y"}),
        ("custom", {"url": "http://hook.example/", "method": "POST"}, {"kind": "webhook", "url": "http://hook.example/"}),
        ("telegram", {"token": TOKEN, "id": "-1001"},
         {"kind": "telegram", "secret": TOKEN, "telegram": {"chat_id": "-1001"}}),
        ("pagerduty", {"integration-key": "0123456789abcdef0123456789abcdef"},
         {"kind": "pagerduty", "secret": "0123456789abcdef0123456789abcdef"}),
        ("email", {"from": "a@x.example", "username": "a", "password": "p", "host": "mail", "port": 465,
                   "to": "b@x.example,c@x.example"},
         {"kind": "email", "url": "smtps://mail:465", "secret": "p",
          "email": {"from": "a@x.example", "to": ["b@x.example", "c@x.example"], "username": "a"}}),
        ("opsgenie", {"api-key": "x"}, None),
        ("slack", {"webhook-url": ""}, None),
    ],
)  # fmt: skip
def test_alerting_of_gatus_becomes_a_receiver(
    kind: str, settings: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    document = {"endpoints": [{"name": "a", "url": "http://a.example"}], "alerting": {kind: settings}}
    text = gatus.read(json.dumps(document)).text()
    assert receiver_of(text) == expected
    assert (f"{kind!r} is left out" in text) is (expected is None)


def test_overrides_of_groups_are_said() -> None:
    settings = {"webhook-url": "http://a.example", "overrides": [{"group": "x"}]}
    document = {"endpoints": [{"name": "a", "url": "http://a.example"}], "alerting": {"slack": settings}}
    assert "its overrides for groups are missing" in gatus.read(json.dumps(document)).text()
