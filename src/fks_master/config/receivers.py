"""From `[[alerts.receivers]]` as written to receivers; and what each kind of them needs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from fks_master.alerts import push
from fks_master.alerts.notify import Receiver, kind_of_address, ntfy, template
from fks_master.alerts.notify.options import WebhookOptions
from fks_master.config import formats
from fks_master.config.schema import Alerts, ReceiverEntry, ReceiverKind
from fks_master.config.walk import show
from fks_master.model import grammar

WEBHOOK = "webhook"
HIDDEN = "a value that is not shown"
TABLES = (ReceiverKind.WEBHOOK, ReceiverKind.EMAIL, ReceiverKind.TELEGRAM, ReceiverKind.NTFY)
KNOW_THEIR_ADDRESS = {ReceiverKind.PAGERDUTY, ReceiverKind.TELEGRAM}
NEED_A_SECRET = {ReceiverKind.PAGERDUTY: "the integration's routing key", ReceiverKind.TELEGRAM: "the bot's token"}


def of(alerts: Alerts) -> tuple[Receiver, ...]:
    url, dashboard = alerts.webhook_url, alerts.dashboard_url or ""
    seeds = (Receiver(WEBHOOK, kind_of_address(url), url, dashboard=dashboard),) if url else ()
    return (*seeds, *(_receiver(entry, dashboard) for entry in alerts.receivers))


def find_mistakes(path: str, entry: ReceiverEntry) -> Iterator[str]:
    """Look at one receiver that has the right shape."""
    if entry.url and entry.url_file:
        yield f"{path}: expected either url or url_file"
    elif not (entry.url or entry.url_file or entry.kind in KNOW_THEIR_ADDRESS):
        yield f"{path}: expected url or url_file"
    if entry.secret and entry.secret_file:
        yield f"{path}: expected only one of secret and secret_file"
    elif entry.kind in NEED_A_SECRET and not (entry.secret or entry.secret_file):
        yield f"{path}: expected secret or secret_file: {NEED_A_SECRET[entry.kind]}"
    unreadable = [*file_mistakes(path, entry, "url_file"), *file_mistakes(path, entry, "secret_file")]
    yield from unreadable
    if not unreadable:
        yield from _address_mistakes(path, entry, _url(entry))
    for kind in TABLES:
        if kind is not entry.kind and getattr(entry, kind.value) != type(getattr(entry, kind.value))():
            yield f"{path}.{kind.value}: only for receivers of kind {kind.value}, and this one is of kind {entry.kind}"
    yield from _option_mistakes(path, entry)


def file_mistakes(path: str, table: object, name: str) -> Iterator[str]:
    """Say what is wrong with the file that a table names."""
    yield from _unreadable(f"{path}.{name}", getattr(table, name))


def content(file: str | None) -> str:
    return Path(file).read_text(encoding="utf-8").strip() if file else ""


def _unreadable(path: str, file: str | None) -> Iterator[str]:
    try:
        if file and not content(file):
            yield f"{path}: {show(file)} is empty"
    except (OSError, ValueError) as error:
        yield f"{path}: {show(file)} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}"


def _address_mistakes(path: str, entry: ReceiverEntry, url: str) -> Iterator[str]:
    expected = None
    if entry.kind is ReceiverKind.APPRISE:
        expected = push.find_mistake(url) if url else None
    elif entry.kind is ReceiverKind.EMAIL:
        expected = None if not url or _is_mail_server(url) else 'a mail server, such as "smtp://mail.example:587"'
    elif url:
        expected = formats.webhook(url)
    if expected is None and entry.kind is ReceiverKind.NTFY and url:
        topic = ntfy.parts(url)[1]
        is_good = bool(topic) and topic != urlsplit(url).netloc
        expected = None if is_good else 'the address of a topic, such as "https://ntfy.sh/my-alerts"'
    if expected:
        yield f"{path}.{'url_file' if entry.url_file else 'url'}: found {HIDDEN}, expected {expected}"


def _is_mail_server(url: str) -> bool:
    try:
        found = urlsplit(url)
        is_plain = found.username is None and found.path in {"", "/"} and not found.query and found.port != 0
    except ValueError:
        return False
    return found.scheme in {"smtp", "smtps"} and bool(found.hostname) and is_plain


def _option_mistakes(path: str, entry: ReceiverEntry) -> Iterator[str]:
    email, webhook = entry.email, entry.webhook
    if entry.kind is ReceiverKind.EMAIL:
        missing = [name for name, value in (("from", email.sender), ("to", email.to)) if not value]
        yield from (f"{path}.email.{name}: missing, expected an e-mail address" for name in missing)
        if bool(email.username) != bool(entry.secret or entry.secret_file):
            yield f"{path}: expected email.username and secret (the password) together"
    if entry.kind is ReceiverKind.TELEGRAM and not entry.telegram.chat_id:
        yield f"{path}.telegram.chat_id: missing, expected the number of a chat"
    if webhook.body is not None and not template.is_json(webhook.body, webhook.content_type):
        yield f"{path}.webhook.body: does not give JSON; fields of text stand inside of quotes, {{events}} outside"
    for name, file in webhook.header_files.items():
        yield from _header_mistakes(f"{path}.webhook.header_files.{name}", file)


def _header_mistakes(path: str, file: str) -> Iterator[str]:
    unreadable = list(_unreadable(path, file))
    yield from unreadable
    if not unreadable and (expected := grammar.header_value(content(file))):
        yield f"{path}: found {HIDDEN}, expected {expected}"


def _url(entry: ReceiverEntry) -> str:
    return entry.url or content(entry.url_file)


def _receiver(entry: ReceiverEntry, dashboard: str) -> Receiver:
    url = _url(entry)
    is_plain = entry.kind is ReceiverKind.WEBHOOK and entry.webhook == WebhookOptions()
    options: dict[str, Any] = {kind.value: getattr(entry, kind.value) for kind in TABLES}
    headers = {name: content(file) for name, file in entry.webhook.header_files.items()}
    receiver = Receiver(entry.name, entry.kind.value, url, entry.secret or content(entry.secret_file), dashboard)
    kind = kind_of_address(url) if is_plain else entry.kind.value
    return msgspec.structs.replace(receiver, kind=kind, headers=headers, **options)
