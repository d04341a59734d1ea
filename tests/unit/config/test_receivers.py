"""Receivers as written: every kind as the documentation shows it, and every mistake with its place."""

from pathlib import Path

import pytest

from fks_master.config.alerting import options_of
from fks_master.config.load import load
from fks_master.errors import ConfigError

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # of Apprise's own modules


def table(kind: str, rest: str = "") -> str:
    return f'[[alerts.receivers]]\nname = "ops"\nkind = "{kind}"\n{rest}'


URL = 'url = "https://x.example/in"\n'
EMAIL = 'url = "smtp://mail.example"\n[alerts.receivers.email]\nfrom = "fks@example.org"\nto = ["ops@example.org"]\n'
MISTAKES = {
    table("webhook"): "alerts.receivers[0]: expected url or url_file",
    table("webhok"): 'did you mean "webhook"',
    table("webhook", URL + 'url_file = "/etc/hostname"\n'): "expected either url or url_file",
    table("webhook", 'url = "ftp://x"\n'): "alerts.receivers[0].url: found a value that is not shown, expected an http",
    table("webhook", 'url_file = "/none"\n'): "alerts.receivers[0].url_file",
    table("webhook", URL + 'secret = "a"\nsecret_file = "/etc/hostname"\n'): "only one of secret and secret_file",
    table("webhook", URL + '[alerts.receivers.webhook]\nbody = "{mesage}"\n'): 'did you mean "message"',
    table("webhook", URL + "[alerts.receivers.webhook]\nbody = '{\"a\": {message}}'\n"): "does not give JSON",
    table("webhook", URL + '[alerts.receivers.webhook]\nheaders = { "a b" = "c" }\n'): "the name of a header",
    table("webhook", URL + '[alerts.receivers.webhook]\nheaders = { A = "b\\nc" }\n'): "a text in one line",
    table("webhook", URL + '[alerts.receivers.webhook]\nheaders = { A = "{nothing}" }\n'): "only known fields",
    table("webhook", URL + '[alerts.receivers.webhook]\nheader_files = { A = "/none" }\n'): "header_files.A",
    table("webhook", URL + '[alerts.receivers.webhook]\ncontent_type = "json"\n'): "a media type",
    table("slack", URL + '[alerts.receivers.telegram]\nchat_id = "5"\n'): "only for receivers of kind telegram",
    table("email", 'url = "https://mail.example"\n'): "a mail server",
    table("email", 'url = "smtp://mail.example"\n'): "alerts.receivers[0].email.to: missing",
    table("email", EMAIL + 'username = "fks"\n'): "expected email.username and secret (the password) together",
    table("email", EMAIL.replace("fks@example.org", "fks")): "an e-mail address",
    table("pagerduty"): "expected secret or secret_file: the integration's routing key",
    table("telegram", 'secret = "x"\n'): "alerts.receivers[0].telegram.chat_id: missing",
    table("telegram", 'secret = "x"\n[alerts.receivers.telegram]\nchat_id = "me"\n'): "the number of a chat",
    table("ntfy", 'url = "https://ntfy.sh"\n'): "the address of a topic",
    table("apprise", 'url = "nonsense://x"\n'): "an address that Apprise knows",
    '[alerts]\ndashboard_url = "monitor"\n': "alerts.dashboard_url",
    '[alerts]\nheartbeat_url = "monitor"\n': "alerts.heartbeat_url",
    '[alerts]\nheartbeat_url = "http://x"\nheartbeat_url_file = "/etc/hostname"\n': "only one of heartbeat_url",
    '[alerts]\nheartbeat_url_file = "/none"\n': "alerts.heartbeat_url_file",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        load(path, {})
    assert MISTAKES[text] in str(error.value)
    assert "x.example" not in str(error.value)


def test_secrets_come_from_files_and_are_not_shown(tmp_path: Path) -> None:
    for name, content in {"url": "https://hooks.slack.com/T/B/x", "key": "canary", "auth": "Bearer canary"}.items():
        (tmp_path / name).write_text(f"{content}\n")
    path = tmp_path / "monitor.toml"
    path.write_text(
        f'[alerts]\ndashboard_url = "https://monitor.example"\n'
        f'[[alerts.receivers]]\nname = "chat"\nurl_file = "{tmp_path}/url"\n'
        f'[[alerts.receivers]]\nname = "own"\nurl = "http://own/in"\nsecret_file = "{tmp_path}/key"\n'
        f'[alerts.receivers.webhook]\nheader_files = {{ Authorization = "{tmp_path}/auth" }}\n'
    )
    config = load(path, {})
    chat, own = options_of(config).receivers
    assert (chat.kind, chat.url, chat.dashboard) == (
        "slack",
        "https://hooks.slack.com/T/B/x",
        "https://monitor.example",
    )
    assert (own.kind, own.secret, own.headers) == ("webhook", "canary", {"Authorization": "Bearer canary"})
    assert "canary" not in repr((config, chat, own))
    assert "slack.com" not in repr((config, chat, own))
