"""What a receiver is, what is sent to it, and how that went."""

from enum import StrEnum

import msgspec

from fks_master.alerts.notify.options import EmailOptions, NtfyOptions, Security, TelegramOptions, WebhookOptions


class Receiver(msgspec.Struct, frozen=True):
    """A named destination.

    `url` and `secret` are secrets; what the secret is depends on the kind: a key to sign with, a password, a token.
    `headers` come from files and are sent as they are. `dashboard` is where people reach our own pages, for links;
    empty where that is not known.
    """

    name: str
    kind: str
    url: str = ""
    secret: str = ""
    dashboard: str = ""
    headers: dict[str, str] = {}
    webhook: WebhookOptions = WebhookOptions()
    email: EmailOptions = EmailOptions()
    telegram: TelegramOptions = TelegramOptions()
    ntfy: NtfyOptions = NtfyOptions()

    def __repr__(self) -> str:
        return f"Receiver({self.name!r}, {self.kind!r})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("name", self.name), ("kind", self.kind)]


class Request(msgspec.Struct, frozen=True):
    """One HTTP request."""

    url: str
    body: bytes = b""
    headers: dict[str, str] = {}
    method: str = "POST"

    def __repr__(self) -> str:
        return "Request(…)"


class Mail(msgspec.Struct, frozen=True):
    """One e-mail, and the server that takes it."""

    host: str
    port: int
    security: Security
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    username: str = ""
    password: str = ""
    ca: str | None = None

    def __repr__(self) -> str:
        return "Mail(…)"


class Push(msgspec.Struct, frozen=True):
    """One message through Apprise. `kind` is one of Apprise's: failure, warning, success or info."""

    url: str
    title: str
    text: str
    kind: str

    def __repr__(self) -> str:
        return "Push(…)"


Message = Request | Mail | Push


class Verdict(StrEnum):
    """What becomes of a delivery."""

    SENT = "sent"
    AGAIN = "again"
    REFUSED = "refused"


class Answer(msgspec.Struct, frozen=True):
    """How it went. `text` is fit for the delivery log: it never holds the address."""

    verdict: Verdict
    text: str
    retry_after: float | None = None
