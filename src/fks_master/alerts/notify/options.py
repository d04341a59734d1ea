"""What can be set for each kind of receiver, as it stands in its table of the configuration."""

import re
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from fks_master.alerts.notify import template
from fks_master.model import grammar
from fks_master.model.options import HeaderName, HeaderValue, Path

_ADDRESS = re.compile(r"(?:[^<>\r\n\"]{0,100}<)?[^\s<>@,;:\"()\[\]\\]+@[A-Za-z0-9.-]+>?")
_CHAT = re.compile(r"-?\d{1,20}|@[A-Za-z0-9_]{4,64}")
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+(; *charset=[A-Za-z0-9-]+)?")


def address(text: str) -> str | None:
    is_good = _ADDRESS.fullmatch(text) and ("<" in text) == text.endswith(">")
    return None if is_good else 'an e-mail address, such as "ops@example.org" or "Ops <ops@example.org>"'


def chat(text: str) -> str | None:
    return None if _CHAT.fullmatch(text) else 'the number of a chat, such as "-1001234567890", or "@channel"'


def media_type(text: str) -> str | None:
    return None if _MEDIA_TYPE.fullmatch(text) else 'a media type, such as "application/json"'


Template = Annotated[str, Meta(extra={"format": template.find_mistake})]
HeaderTemplate = Annotated[
    str, Meta(extra={"format": lambda text: grammar.header_value(text) or template.find_mistake(text), "secret": True})
]
Address = Annotated[str, Meta(extra={"format": address})]


class Security(StrEnum):
    """How the way to a mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class HttpMethod(StrEnum):
    """The methods that a webhook may use."""

    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"


class WebhookOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[alerts.receivers.webhook]`. Headers and body may hold `{field}`s; headers from files are taken as they are."""

    method: HttpMethod = HttpMethod.POST
    headers: dict[HeaderName, HeaderTemplate] = {}
    header_files: dict[HeaderName, Path] = {}
    content_type: Annotated[str, Meta(extra={"format": media_type})] = "application/json"
    body: Template | None = None


class EmailOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[alerts.receivers.email]`."""

    sender: Address = msgspec.field(name="from", default="")
    to: tuple[Address, ...] = ()
    username: HeaderValue = ""
    starttls: bool = True
    ca: Path | None = None


class TelegramOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[alerts.receivers.telegram]`. `topic` is the number of a forum's topic."""

    chat_id: Annotated[str, Meta(extra={"format": chat})] = ""
    topic: Annotated[int, Meta(ge=1, le=2**53)] | None = None


class NtfyOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[alerts.receivers.ntfy]`. `tags` are added to ours."""

    tags: tuple[Annotated[str, Meta(extra={"format": grammar.path})], ...] = ()
