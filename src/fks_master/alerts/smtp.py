"""The carrier of e-mail: one message over SMTP, with every step behind a timeout."""

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Callable

from fks_master.alerts.addresses import is_forbidden
from fks_master.alerts.notify import Answer, Mail, Verdict
from fks_master.alerts.notify.options import Security

STEP_SECONDS = 15.0
GOODBYE_SECONDS = 1.0
READY = 220


class Delivery:
    """One try of a message; `abort` ends it from another thread."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self._socket: socket.socket | None = None
        self._is_aborted = False

    def abort(self) -> None:
        self._is_aborted = True
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def run(self) -> Answer:
        mail = self._mail
        try:
            server = self._connect()
            with contextlib.closing(server):
                return self._hand_over(server)
        except smtplib.SMTPResponseException as error:
            return _answered(error.smtp_code, error.smtp_error, mail.password)
        except smtplib.SMTPRecipientsRefused as error:
            return _answered(*min(error.recipients.values()), mail.password)
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            return Answer(Verdict.AGAIN, "the monitor stops" if self._is_aborted else _reason(error))

    def _connect(self) -> smtplib.SMTP:
        mail = self._mail
        server = self._plain() if mail.security is not Security.TLS else self._over_tls()
        server.note = self._note
        server._host = mail.host  # noqa: SLF001 - the name that TLS verifies, which only the connecting constructor sets
        code, said = server.connect(mail.host, mail.port)
        if code != READY:
            server.close()
            raise smtplib.SMTPConnectError(code, said)
        return server

    def _plain(self) -> "_Guarded":
        return _Guarded(timeout=STEP_SECONDS)

    def _over_tls(self) -> "_Guarded":
        return _OverTls(timeout=STEP_SECONDS, context=ssl.create_default_context(cafile=self._mail.ca))

    def _note(self, one: socket.socket) -> None:
        self._socket = one
        if self._is_aborted:
            self.abort()

    def _hand_over(self, server: smtplib.SMTP) -> Answer:
        mail = self._mail
        if mail.security is Security.STARTTLS:
            server.starttls(context=ssl.create_default_context(cafile=mail.ca))
        if mail.username:
            server.login(mail.username, mail.password)
        refused = server.sendmail(mail.sender, mail.recipients, mail.content)
        _part(server)
        if refused:
            names = ", ".join(f"{name} ({code})" for name, (code, _) in refused.items())
            return Answer(Verdict.SENT, f"SMTP 250, but not for {names}"[:300])
        return Answer(Verdict.SENT, "SMTP 250")


def _part(server: smtplib.SMTP) -> None:
    """Say goodbye, briefly: the message is taken, whatever the server answers to that."""
    with contextlib.suppress(smtplib.SMTPException, OSError):
        if server.sock is not None:
            server.sock.settimeout(GOODBYE_SECONDS)
        server.quit()


class _Guarded(smtplib.SMTP):
    """Connects to no address that is forbidden, however the name is spelt."""

    note: Callable[[socket.socket], None]
    _host: str

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        last: OSError = OSError("name not resolved")
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            if is_forbidden(str(address[0])):
                last = OSError("this address is forbidden")
                continue
            one = socket.socket(family, kind, protocol)
            one.settimeout(timeout)
            self.note(one)
            try:
                one.connect(address)
            except OSError as error:
                one.close()
                last = error
            else:
                return one
        raise last


class _OverTls(smtplib.SMTP_SSL, _Guarded):
    """The same with TLS from the first byte."""


def _answered(code: int, said: bytes | str, password: str) -> Answer:
    """Read an SMTP answer: 4xx passes, 5xx does not."""
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    text = "".join(one if one.isprintable() else " " for one in words)[:200]
    text = text.replace(password, "…") if password else text
    return Answer(Verdict.REFUSED if 500 <= code < 600 else Verdict.AGAIN, f"SMTP {code}: {text}".rstrip(": "))


def _reason(error: Exception) -> str:
    """Name the trouble without the server's address."""
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or 'failed'}"
    if isinstance(error, socket.gaierror):
        return "name not resolved"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    known = {
        "SMTPServerDisconnected": "the connection was closed",
        "SMTPNotSupportedError": "not supported by the server",
    }
    return known.get(type(error).__name__, str(error)[:100] or type(error).__name__)
