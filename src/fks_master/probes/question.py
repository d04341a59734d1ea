"""Which checks are no more than plain HTTP, and the request that each of them sends."""

import re
import socket
from typing import NamedTuple
from urllib.parse import urlsplit

from fks_master import __version__
from fks_master.model import HttpVersion, Method, Service
from fks_master.probes.plain import Plan
from fks_master.probes.resolver import is_address

USER_AGENT = f"fks_master/{__version__}"
PLAIN_URL = re.compile(r"http://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[!-~]*)?", re.IGNORECASE)
DOTS = re.compile(r"/\.\.?(/|$|\?)|#")  # what libcurl would rewrite or leave out
OURS = {"connection", "content-length", "expect", "te", "transfer-encoding", "upgrade", "accept-encoding"}


class PlainQuestion(NamedTuple):
    """A request in bytes; `plan` is None while the host is a name that has to be looked up."""

    plan: Plan | None
    port: int
    request: bytes
    is_head: bool
    is_kept: bool

    def plan_for(self, addresses: tuple[str, ...]) -> Plan | None:
        """Say whom to ask; None where several addresses have to be tried, which libcurl does better."""
        if self.plan is not None:
            return self.plan
        return self._at(addresses[0]) if len(addresses) == 1 else None

    def _at(self, address: str) -> Plan:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return Plan(family, (address, self.port), self.request, self.is_head, self.is_kept)


def plain_question(service: Service) -> PlainQuestion | None:
    """Return None for what is more than plain HTTP/1.1 to one server without a body."""
    http = service.http
    is_plain = (
        http.version in {HttpVersion.AUTO, HttpVersion.HTTP_1_1}
        and http.method in {Method.GET, Method.HEAD}
        and http.body is None
        and http.proxy is None
        and http.unix_socket is None
        and PLAIN_URL.fullmatch(service.health_endpoint)
        and not DOTS.search(service.health_endpoint, len("http://"))
        and all(value.strip() and name.lower() not in OURS for name, value in http.headers.items())
    )
    if not is_plain:
        return None
    parts = urlsplit(service.health_endpoint)
    try:
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        return None
    question = PlainQuestion(None, port, _request(service), http.method is Method.HEAD, http.reuse_connection)
    return question._replace(plan=question._at(host)) if is_address(host) else question  # noqa: SLF001


def _request(service: Service) -> bytes:
    http, parts = service.http, urlsplit(service.health_endpoint)
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    netloc = parts.netloc.removesuffix(":80")
    ours = {"Host": netloc, "User-Agent": USER_AGENT, "Accept": "*/*"}
    if not http.reuse_connection:
        ours["Connection"] = "close"
    theirs = {name.lower() for name in http.headers}
    lines = [f"{http.method.value} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in ours.items() if name.lower() not in theirs]
    lines += [f"{name}: {value}" for name, value in http.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
