"""The certificate that we would show."""

import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from fks_master.api.tls import Certificate
from fks_master.doctor.finding import Finding, error, fine, warning
from fks_master.doctor.patient import Patient
from fks_master.errors import TlsError

TLS = "tls"
SOON_DAYS = 14.0


async def look(patient: Patient) -> AsyncIterator[Finding]:
    settings = patient.settings
    if settings is None:
        return
    certificate, key = settings.tls_cert, settings.tls_key
    if certificate is None and key is None:
        if settings.tls_required:
            yield error(TLS, "FKS_TLS_REQUIRED is set, the files are not", "set FKS_TLS_CERT and FKS_TLS_KEY")
        else:
            yield fine(TLS, "off: plain HTTP is served")
    elif certificate is None or key is None:
        missing = "FKS_TLS_CERT" if certificate is None else "FKS_TLS_KEY"
        yield error(TLS, f"{missing} is not set: plain HTTP would be served", f"set {missing}")
    else:
        for finding in _look_at_pair(certificate, key, patient.clock.now()):
            yield finding


def _look_at_pair(certificate: Path, key: Path, now: datetime) -> list[Finding]:
    try:
        context = Certificate(certificate, key).context
    except TlsError as trouble:
        advice = "give PEM files that this user may read; scripts/generate_self_signed_tls.sh makes a pair"
        return [error(TLS, str(trouble), advice)]
    found = [_age(certificate, context, now)]
    if key.stat().st_mode & 0o004:
        found.append(warning(TLS, f"{key} can be read by everybody", f"chmod 640 {key}"))
    return found


def _age(certificate: Path, context: ssl.SSLContext, now: datetime) -> Finding:
    try:
        ends = _end_of(certificate, context)
    except ssl.SSLError as trouble:
        reason = getattr(trouble, "verify_message", None) or trouble.reason
        return error(TLS, f"{certificate}: {reason}", "renew the certificate; a running monitor takes it up by itself")
    days = (ends - now).total_seconds() / 86400
    if days < 0:
        return error(TLS, f"{certificate} has expired", "renew it; a running monitor takes it up by itself")
    if days < SOON_DAYS:
        advice = "renew it; a running monitor takes it up by itself"
        return warning(TLS, f"{certificate} expires in {days:.0f} days", advice)
    return fine(TLS, f"{certificate} is valid until {ends:%Y-%m-%d}")


def _end_of(certificate: Path, context: ssl.SSLContext) -> datetime:
    """Ask ourselves for the certificate, in memory: the standard library tells its dates only of one that it trusts."""
    trust = ssl.create_default_context(cafile=certificate)
    trust.check_hostname = False
    trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trust.wrap_bio(to_client, to_server)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    while True:
        try:
            client.do_handshake()
            break
        except ssl.SSLWantReadError:
            try:
                server.do_handshake()
            except ssl.SSLWantReadError:
                continue
    shown = client.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)
