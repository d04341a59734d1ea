"""A real mail server on loopback for the tests: STARTTLS, TLS, AUTH PLAIN, and answers that can be set."""

import asyncio
import base64
import email
import email.policy
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path

import msgspec
from tests.servers import listening, make_certificate


class Taken(msgspec.Struct):
    """One message as it came."""

    sender: str
    recipients: list[str]
    content: EmailMessage
    is_encrypted: bool
    user: str | None


class SmtpServer:
    """`answers` replaces the answer to a command; None lets the client wait."""

    def __init__(self, context: ssl.SSLContext, *, offers_starttls: bool = True) -> None:
        self.context = context
        self.offers_starttls = offers_starttls
        self.answers: dict[str, str | None] = {}
        self.taken: list[Taken] = []
        self.port = 0
        self.commands: list[str] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _Session(self, reader, writer).converse()


class _Session:
    def __init__(self, server: SmtpServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.is_encrypted = writer.get_extra_info("ssl_object") is not None
        self.user: str | None = None
        self.sender, self.recipients = "", list[str]()

    async def say(self, *lines: str) -> None:
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self.writer.drain()

    async def converse(self) -> None:
        await self.say("220 test ESMTP")
        while line := (await self.reader.readline()).decode().strip():
            word = line.split()[0].upper()
            self.server.commands.append(word)
            if word in self.server.answers:
                answer = self.server.answers[word]
                if answer is None:
                    await self.reader.read()
                    return
                await self.say(answer)
            elif not await getattr(self, f"on_{word.lower()}")(line):
                return

    async def on_ehlo(self, _: str) -> bool:
        offers = ["250-STARTTLS"] if self.server.offers_starttls and not self.is_encrypted else []
        await self.say("250-test", *offers, "250 AUTH PLAIN")
        return True

    async def on_starttls(self, _: str) -> bool:
        await self.say("220 go ahead")
        await self.writer.start_tls(self.server.context)
        self.is_encrypted = True
        return True

    async def on_auth(self, line: str) -> bool:
        _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
        self.user = user if password == "right" else None
        await self.say("235 welcome" if self.user else "535 5.7.8 wrong password")
        return True

    async def on_mail(self, line: str) -> bool:
        self.sender = line.partition("<")[2].partition(">")[0]
        await self.say("250 ok")
        return True

    async def on_rcpt(self, line: str) -> bool:
        name = line.partition("<")[2].partition(">")[0]
        if name.startswith("nobody"):
            await self.say("550 5.1.1 no such user")
        else:
            self.recipients.append(name)
            await self.say("250 ok")
        return True

    async def on_data(self, _: str) -> bool:
        await self.say("354 go on")
        content = (await self.reader.readuntil(b"\r\n.\r\n"))[:-3].replace(b"\r\n..", b"\r\n.")
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.server.taken.append(Taken(self.sender, self.recipients, parsed, self.is_encrypted, self.user))
        await self.say("250 taken")
        return True

    async def on_rset(self, _: str) -> bool:
        await self.say("250 ok")
        return True

    async def on_quit(self, _: str) -> bool:
        await self.say("221 bye")
        return False


@asynccontextmanager
async def smtp_server(
    folder: Path, *, over_tls: bool = False, **options: bool
) -> AsyncIterator[tuple[SmtpServer, Path]]:
    """Serve on a free port; gives the server and the certificate to trust."""
    certificate, key = make_certificate(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server = SmtpServer(context, **options)
    more: dict[str, object] = {"ssl": context} if over_tls else {}
    async with listening(server.handle, limit=2**24, **more) as server.port:
        yield server, certificate
