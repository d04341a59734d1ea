"""E-mail: plain text and a calm page of HTML; all messages of one episode of an alert form a thread."""

import html
from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from urllib.parse import urlsplit

from fks_master.alerts.notice import Notice
from fks_master.alerts.notify import text
from fks_master.alerts.notify.message import Mail, Receiver
from fks_master.alerts.notify.options import Security

PORTS = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}
MOST_SUBJECT = 200
MOST_SHOWN = 200
_FONT = "font:15px/1.5 system-ui,-apple-system,Segoe UI,sans-serif"


def render(receiver: Receiver, notices: Sequence[Notice], now: datetime) -> Mail:
    url, options = urlsplit(receiver.url), receiver.email
    security = Security.TLS if url.scheme == "smtps" else Security.STARTTLS if options.starttls else Security.NONE
    return Mail(
        host=url.hostname or "",
        port=url.port or PORTS[security],
        security=security,
        sender=parseaddr(options.sender)[1],
        recipients=tuple(parseaddr(one)[1] for one in options.to),
        content=_content(receiver, notices, now).as_bytes(policy=SMTP),
        username=options.username,
        password=receiver.secret,
        ca=options.ca,
    )


def _content(receiver: Receiver, notices: Sequence[Notice], now: datetime) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    sender, domain = receiver.email.sender, parseaddr(receiver.email.sender)[1].rpartition("@")[2]
    first = text.shown(notices, 1)[0]
    message["From"] = _address(sender)
    message["To"] = [_address(one) for one in receiver.email.to]
    message["Subject"] = text.cut(
        f"{'[FKS] ' if first.is_firing else '[FKS] resolved: '}{text.title(notices)}", MOST_SUBJECT
    )
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{_word(notices[0].id)}.{_word(receiver.name)}@{domain}>"
    if len(notices) == 1 and first.thread:
        message["References"] = message["In-Reply-To"] = f"<{_word(first.thread)}.{_word(receiver.name)}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-FKS-Events"] = text.cut(" ".join(_word(notice.id) for notice in notices), 900)
    message.set_content(_plain(receiver, notices))
    message.add_alternative(_page(receiver, notices), subtype="html")
    return message


def _address(written: str) -> Address:
    name, address = parseaddr(written)
    user, _, domain = address.rpartition("@")
    return Address(name, user, domain)


def _word(text_: str) -> str:
    """Keep what a Message-ID may hold."""
    return "".join(one if one.isascii() and (one.isalnum() or one in "-_.") else "-" for one in text_)


def _plain(receiver: Receiver, notices: Sequence[Notice]) -> str:
    link = text.link(receiver, text.shown(notices, 1)[0])
    return text.plain(notices, MOST_SHOWN) + (f"\n\n{link}\n" if link else "\n")


def _page(receiver: Receiver, notices: Sequence[Notice]) -> str:
    parts = [_card(receiver, notice) for notice in text.shown(notices, MOST_SHOWN)]
    heading = f'<h1 style="{_FONT};font-size:18px;font-weight:600">{html.escape(text.title(notices))}</h1>'
    more = text.rest(notices, MOST_SHOWN)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f'<body style="{_FONT};max-width:42em;margin:1.5em auto;padding:0 1em">'
        f"{heading if len(notices) > 1 else ''}{''.join(parts)}{f'<p>{more}</p>' if more else ''}"
        f'<p style="font-size:12px;opacity:.6">FKS Master · {html.escape(receiver.name)}</p></body></html>'
    )


def _card(receiver: Receiver, notice: Notice) -> str:
    rows = "".join(
        f'<tr><td style="padding:0 1.2em 0 0;opacity:.65;vertical-align:top">{html.escape(name)}</td>'
        f"<td>{html.escape(value)}</td></tr>"
        for name, value in [*text.details(notice), ("at", f"{notice.timestamp:%Y-%m-%d %H:%M:%S} UTC")]
    )
    link = text.link(receiver, notice)
    opens = f'<p style="margin:.4em 0 0"><a href="{html.escape(link)}">Open</a></p>' if link else ""
    return (
        f'<div style="border-left:4px solid #{text.colour(notice):06x};padding:.2em 1em;margin:0 0 1.2em">'
        f'<p style="margin:0 0 .4em;font-weight:600">{html.escape(text.line(notice))}</p>'
        f'<table style="border-spacing:0">{rows}</table>{opens}</div>'
    )
