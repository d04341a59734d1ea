"""TLS from a certificate and a key on disk, which may be renewed while we run."""

import ssl
from pathlib import Path

import msgspec
import structlog

from fks_master.clock import Clock
from fks_master.errors import TlsError

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0


class Certificate:
    """A pair of PEM files and the context that serves them.

    New handshakes see a renewed pair at once; connections that are open keep the old one. `trouble` says why a
    pair that changed is not served.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        """Load the pair, or raise TlsError."""
        self._certificate = certificate
        self._key = key
        self.context = _context(certificate, key)
        self._seen = self._stamp()
        self.trouble: str | None = None

    def renew(self) -> bool:
        """Load the pair again if a file changed. One that cannot be used is said once, and the old pair stays."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._seen = stamp
        try:
            _context(self._certificate, self._key)  # a pair that does not fit would leave the live context broken
            self.context.load_cert_chain(self._certificate, self._key)
        except (TlsError, OSError) as error:
            log.error("certificate_not_renewed", reason=str(error))  # noqa: TRY400 - the reason says it
            self.trouble = f"The certificate on disk cannot be used, the one before it is served still: {error}"
            return False
        self.trouble = None
        log.info("certificate_renewed", certificate=str(self._certificate))
        return True

    async def watch(self, clock: Clock) -> None:
        while True:
            await clock.sleep(LOOK_SECONDS)
            self.renew()

    def _stamp(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_file_stamp(path) for path in (self._certificate, self._key))


class Tls(msgspec.Struct, frozen=True):
    """What came of the wish for TLS: a certificate, or why there is none; neither where nobody asked."""

    certificate: Certificate | None = None
    warning: str | None = None

    @property
    def context(self) -> ssl.SSLContext | None:
        return self.certificate.context if self.certificate else None

    @property
    def trouble(self) -> str | None:
        """What the owner should know now."""
        return self.certificate.trouble if self.certificate else self.warning


def prepare(certificate: Path | None, key: Path | None, *, is_required: bool) -> Tls:
    """Fall back to HTTP when the pair cannot be loaded, with a warning to show everywhere.

    With `is_required` raise TlsError instead.
    """
    try:
        if certificate is None or key is None:
            return _without(certificate, key, is_required=is_required)
        return Tls(Certificate(certificate, key))
    except TlsError as error:
        if is_required:
            raise
        log.error("tls_off", reason=str(error))  # noqa: TRY400 - the reason says it
        return Tls(warning=f"TLS is off, everything is served over plain HTTP: {error}")


def _without(certificate: Path | None, key: Path | None, *, is_required: bool) -> Tls:
    missing = [name for name, path in (("FKS_TLS_CERT", certificate), ("FKS_TLS_KEY", key)) if path is None]
    if len(missing) == 1 or is_required:
        raise TlsError(f"{' and '.join(missing)} not set")
    return Tls()


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        raise TlsError(f"{certificate} and {key} are not a PEM certificate and its key: {error.reason}") from error
    except OSError as error:
        raise TlsError(f"{certificate} or {key} cannot be read: {error.strerror or error}") from error
    return context


def _no_password() -> str:
    """Refuse a key with a pass phrase: OpenSSL would otherwise ask the terminal, and wait."""
    raise TlsError("the key has a pass phrase; FKS Master needs one without")


def _file_stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
