"""What every probe on libcurl has in common: its options, the meaning of its errors, its figures, TLS."""

import errno
import functools
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pycurl

from fks_master.model import Certificate, HttpVersion, Phases, Reason, Service, TlsOptions
from fks_master.probes.answer import Fault
from fks_master.probes.route import Route

CA_FILES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
LIBCURL = f"libcurl {pycurl.version_info()[1]}"
REASONS = {
    pycurl.E_COULDNT_RESOLVE_HOST: Reason.DNS,
    pycurl.E_COULDNT_RESOLVE_PROXY: Reason.DNS,
    pycurl.E_COULDNT_CONNECT: Reason.REFUSED,
    pycurl.E_OPERATION_TIMEDOUT: Reason.TIMEOUT,
    pycurl.E_RECV_ERROR: Reason.RESET,
    pycurl.E_SEND_ERROR: Reason.RESET,
    pycurl.E_GOT_NOTHING: Reason.RESET,
    pycurl.E_PARTIAL_FILE: Reason.RESET,
    pycurl.E_SSL_CONNECT_ERROR: Reason.TLS,
    pycurl.E_PEER_FAILED_VERIFICATION: Reason.TLS,
    pycurl.E_SSL_CERTPROBLEM: Reason.TLS,
    pycurl.E_SSL_CACERT_BADFILE: Reason.TLS,
    pycurl.E_SSL_CIPHER: Reason.TLS,
}
WORDS = {
    Reason.DNS: "The name does not resolve",
    Reason.REFUSED: "Connection refused",
    Reason.RESET: "The connection was closed before the answer was complete",
}
MOMENTS = (
    pycurl.NAMELOOKUP_TIME,
    pycurl.CONNECT_TIME,
    pycurl.APPCONNECT_TIME,
    pycurl.STARTTRANSFER_TIME,
    pycurl.TOTAL_TIME,
)
REFUSALS = {0, errno.ECONNREFUSED, errno.ENOENT}


def set_route(curl: Any, service: Service, route: Route) -> None:  # noqa: ANN401 - pycurl has no types
    milliseconds = max(1, int((service.timeout_seconds - route.spent_seconds) * 1000))
    curl.setopt(pycurl.URL, route.url)
    curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.TIMEOUT_MS, milliseconds)
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, milliseconds)
    if route.resolved:
        curl.setopt(pycurl.RESOLVE, list(route.resolved))


def failed_transfer(curl: Any, code: int, service: Service) -> Fault:  # noqa: ANN401 - pycurl has no types
    reason = REASONS.get(code, Reason.PROTOCOL)
    if reason is Reason.TIMEOUT:
        return Fault(reason, f"No answer within {service.timeout_seconds:g} s")
    if reason is Reason.REFUSED and curl.getinfo(pycurl.OS_ERRNO) not in REFUSALS:
        return Fault(Reason.UNREACHABLE, curl.errstr() or "The address cannot be reached")
    if reason is Reason.RESET and service.http.version is HttpVersion.HTTP_3 and not curl.getinfo(pycurl.CONNECT_TIME):
        return Fault(Reason.REFUSED, "Nobody answers over HTTP/3 there")
    return Fault(reason, WORDS.get(reason) or curl.errstr() or f"libcurl error {code}")


def set_tls(curl: Any, tls: TlsOptions, *, is_at_home: bool = True) -> None:  # noqa: ANN401 - pycurl has no types
    """Verify as configured; our own certificate is shown to the configured host alone."""
    curl.setopt(pycurl.OPT_CERTINFO, 1)
    if not tls.verify:
        curl.setopt(pycurl.SSL_VERIFYPEER, 0)
        curl.setopt(pycurl.SSL_VERIFYHOST, 0)
    authorities = tls.ca or ca_file()
    if authorities:
        curl.setopt(pycurl.CAINFO, authorities)
    if tls.certificate and is_at_home:
        curl.setopt(pycurl.SSLCERT, tls.certificate)
        curl.setopt(pycurl.SSLKEY, tls.key or tls.certificate)


@functools.cache
def ca_file() -> str | None:
    """Find the machine's certificate authorities: a libcurl from a wheel does not know where they are."""
    candidates = (ssl.get_default_verify_paths().cafile, *CA_FILES)
    return next((file for file in candidates if file and Path(file).is_file()), None)


def read_certificate(curl: Any) -> Certificate | None:  # noqa: ANN401 - pycurl has no types
    """Read the certificate of the chain that expires first; None on a reused connection, which shows none."""
    chain = [_certificate(entries) for entries in curl.getinfo(pycurl.INFO_CERTINFO)]
    return min((one for one in chain if one), key=lambda one: one.expires, default=None)


def _certificate(entries: list[tuple[str, ...]]) -> Certificate | None:
    fields = {entry[0]: entry[1] for entry in entries if len(entry) == 2}
    try:
        begins, expires = (_moment(fields[name]) for name in ("Start date", "Expire date"))
    except (KeyError, ValueError):
        return None
    return Certificate(fields.get("Subject", ""), fields.get("Issuer", ""), begins, expires)


def _moment(text: str) -> datetime:
    return datetime.strptime(text.removesuffix(" GMT"), "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)


def phases(curl: Any, dns_seconds: float = 0.0) -> Phases:  # noqa: ANN401 - pycurl has no types
    """Turn libcurl's moments since the start into durations."""
    dns, connect, tls, first, total = (curl.getinfo(what) for what in MOMENTS)
    ready = max(connect, tls)
    return Phases(
        dns_seconds + dns,
        max(0.0, connect - dns),
        max(0.0, tls - connect),
        max(0.0, first - ready) if first else 0.0,
        max(0.0, total - first) if first else 0.0,
    )


def speaks(version: HttpVersion) -> bool:
    """Whether the libcurl at hand was built for this version of HTTP."""
    needed = {HttpVersion.HTTP_2: pycurl.VERSION_HTTP2, HttpVersion.HTTP_3: pycurl.VERSION_HTTP3}.get(version, 0)
    return needed == 0 or bool(pycurl.version_info()[4] & needed)
