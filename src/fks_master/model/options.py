"""How a service is asked: the options of each kind of probe, as they stand in its tables of the configuration."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from fks_master.model import grammar


class Method(StrEnum):
    """The methods that a check may use."""

    GET = "GET"
    HEAD = "HEAD"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
    OPTIONS = "OPTIONS"


class HttpVersion(StrEnum):
    """`auto` takes what the server offers; any other is demanded."""

    AUTO = "auto"
    HTTP_1_1 = "1.1"
    HTTP_2 = "2"
    HTTP_3 = "3"


class IpFamily(StrEnum):
    """Which addresses of a name are tried."""

    ANY = "any"
    IPV4 = "ipv4"
    IPV6 = "ipv6"


class RecordType(StrEnum):
    """What a DNS check asks for."""

    A = "A"
    AAAA = "AAAA"
    CAA = "CAA"
    CNAME = "CNAME"
    MX = "MX"
    NS = "NS"
    PTR = "PTR"
    SOA = "SOA"
    SRV = "SRV"
    TXT = "TXT"


Path = Annotated[str, Meta(extra={"format": grammar.path})]
Regex = Annotated[str, Meta(extra={"format": grammar.expected_by(grammar.parse_regex)})]
StatusRange = Annotated[str, Meta(extra={"format": grammar.expected_by(grammar.parse_status)})]
JsonPath = Annotated[str, Meta(extra={"format": grammar.expected_by(grammar.parse_path)})]
JsonCondition = Annotated[str, Meta(extra={"format": grammar.expected_by(grammar.parse_condition)})]
HeaderName = Annotated[str, Meta(extra={"format": grammar.header_name})]
HeaderValue = Annotated[str, Meta(extra={"format": grammar.header_value, "secret": True})]
Proxy = Annotated[str, Meta(extra={"format": grammar.proxy, "secret": True})]


class HttpOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[services.http]`.

    The body must contain every one of `contains`, none of `excludes`, match every one of
    `matches`, and hold under each path of `json` what stands there. Headers and proxy may hold secrets.
    """

    method: Method = Method.GET
    headers: dict[HeaderName, HeaderValue] = {}
    body: str | None = None
    expected_status: tuple[StatusRange, ...] = ("200-299",)
    contains: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    matches: tuple[Regex, ...] = ()
    json: dict[JsonPath, JsonCondition] = {}
    follow_redirects: bool = False
    reuse_connection: bool = False
    version: HttpVersion = HttpVersion.AUTO
    proxy: Proxy | None = None
    unix_socket: Path | None = None

    def __repr__(self) -> str:
        return f"HttpOptions(method={self.method.value})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("method", self.method.value)]


class TlsOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[services.tls]`, for https:// and tls://.

    A certificate with less than `warn_days` left makes the service
    Degraded; one made for a short life does so only in the last quarter of it.
    """

    verify: bool = True
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    server_name: Annotated[str, Meta(extra={"format": grammar.path})] | None = None
    warn_days: Annotated[float, Meta(ge=0, le=3650)] = 14.0


class TcpOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[services.tcp]`: what is sent after connecting, and a regular expression that the answer must match."""

    send: str | None = None
    expect: Regex | None = None


class DnsOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[services.dns]`: the type of record, and answers that must be among those given."""

    record: RecordType = RecordType.A
    expected: tuple[str, ...] = ()
