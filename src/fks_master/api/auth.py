"""Who is asking, and what they may: API keys, JWTs, both, or open mode where no credential is configured.

One place decides for REST and WebSocket alike. Secrets are compared in constant time; nothing here logs or echoes one.
"""

import hashlib
import hmac
import ipaddress
import json
import re
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeGuard

import jwt
import msgspec
from starlette.requests import HTTPConnection

from fks_master.api.endpoint import Access
from fks_master.api.guard import Refusal
from fks_master.api.headers import header
from fks_master.clock import Clock

MAX_TOKEN = 8192
MAX_AHEAD = timedelta(days=3653)
WRONG_PER_MINUTE = 100
MAX_ADDRESSES = 10_000
FORWARDING = ("x-forwarded-for", "forwarded", "x-real-ip")
TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

_RIGHTS = {
    "read": frozenset({Access.READ}),
    "operate": frozenset({Access.READ, Access.OPERATE}),
    "admin": frozenset({Access.READ, Access.OPERATE, Access.ADMIN}),
}
_ALL = _RIGHTS["admin"]


class Key(msgspec.Struct, frozen=True):
    """One API key: the SHA-256 of it in hex, never the key itself."""

    name: str
    hash: str
    scopes: tuple[str, ...] = ("admin",)
    expires: datetime | None = None

    @classmethod
    def of(cls, name: str, secret: str) -> "Key":
        return cls(name, fingerprint(secret))


def fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Caller(msgspec.Struct, frozen=True):
    """Somebody we know, or in open mode anybody. A token without an allowed role (`has_role`) changes nothing."""

    name: str
    rights: frozenset[Access]
    has_role: bool = True

    def may(self, access: Access) -> bool:
        return access in {Access.OPEN, Access.PUBLIC} or access in self.rights


NOBODY = Caller("anonymous", frozenset())
ANYBODY = Caller("anonymous", _ALL)


class Authority(msgspec.Struct, frozen=True):
    """What is configured. Without keys and secret: open mode, in which changes may come from `open_networks` too."""

    keys: tuple[Key, ...] = ()
    jwt_secret: str | None = None
    allowed_roles: tuple[str, ...] = ("admin", "orchestrate")
    public_read: bool = True
    open_networks: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        return not self.keys and self.jwt_secret is None

    @property
    def kinds(self) -> tuple[str, ...]:
        """Name the kinds of credential that are configured."""
        ways = (("API key", self.keys), ("JWT", self.jwt_secret))
        return tuple(name for name, is_set in ways if is_set)


class Doorkeeper:
    """Tells who presents a credential, and decides whether they may."""

    def __init__(self, authority: Authority, clock: Clock) -> None:
        self.authority = authority
        self._clock = clock
        self._wrong: dict[str, deque[float]] = {}

    @property
    def is_open(self) -> bool:
        return self.authority.is_open

    def who(self, credentials: tuple[str, ...] | list[str]) -> Caller | None:
        """Return the caller whom the best of these credentials proves; None where all are wrong."""
        if self.is_open:
            return ANYBODY
        if not credentials:
            return NOBODY
        proven = (self._by_key(each) or self._by_token(each) for each in credentials)
        return max(filter(None, proven), key=lambda caller: len(caller.rights), default=None)

    def caller_of(self, connection: HTTPConnection) -> Caller | None:
        return self.who(presented(connection))

    def refuses(self, caller: Caller | None, access: Access, address: str) -> Refusal | None:
        """Say why not. A wrong credential is counted; a right one is never slowed, whatever others tried."""
        if access is Access.OPEN or (access is Access.PUBLIC and self.authority.public_read):
            return None
        if caller is None:
            return self.count_wrong(address)
        if caller.may(Access.READ if access is Access.PUBLIC else access):
            return None
        if caller is NOBODY:
            return Refusal(401, "a credential is needed: an API key as x-api-key, or a JWT as Bearer")
        if not caller.has_role:
            return Refusal(401, "the token has none of the roles that may do that")
        return Refusal(403, f"{caller.name} may not do that; it needs the scope {access.value}")

    def refuses_open_change(self, connection: HTTPConnection) -> Refusal | None:
        """In open mode changes come from this machine or a private network, through no proxy but a trusted one."""
        if not self.is_open:
            return None
        address = address_of(connection)
        if any(name in connection.headers for name in FORWARDING) and not _is_told_by_trusted(connection, address):
            return Refusal(403, "open mode takes no changes through a proxy; set FKS_MONITOR_API_KEY")
        if not _is_private(address) and not _is_within(address, self.authority.open_networks):
            return Refusal(403, "open mode takes changes from private addresses only; set FKS_MONITOR_API_KEY")
        return None

    def _by_key(self, credential: str) -> Caller | None:
        found = None
        digest = fingerprint(credential)
        for key in self.authority.keys:
            if hmac.compare_digest(digest, key.hash.lower()):
                found = key
        if found is None or (found.expires is not None and found.expires <= self._clock.now()):
            return None
        return Caller(found.name, frozenset[Access]().union(*(_RIGHTS[scope] for scope in found.scopes)))

    def _by_token(self, credential: str) -> Caller | None:
        if self.authority.jwt_secret is None:
            return None
        claims = read_token(credential, self.authority.jwt_secret, self._clock.now())
        if claims is None:
            return None
        roles = set(claims["roles"]) & set(self.authority.allowed_roles)
        if not roles:
            return Caller(_name_in(claims), _RIGHTS["read"], has_role=False)
        return Caller(_name_in(claims), _ALL if "admin" in roles else _RIGHTS["operate"])

    def count_wrong(self, address: str) -> Refusal:
        now = self._clock.monotonic()
        if len(self._wrong) >= MAX_ADDRESSES and address not in self._wrong:
            self._wrong.pop(next(iter(self._wrong)))
        times = self._wrong.setdefault(address, deque(maxlen=WRONG_PER_MINUTE))
        is_too_many = len(times) == WRONG_PER_MINUTE and times[0] > now - 60
        if not is_too_many:
            times.append(now)
        return Refusal(429, "too many wrong credentials") if is_too_many else Refusal(401, "the credential is wrong")


def presented(connection: HTTPConnection) -> tuple[str, ...]:
    """Return the credentials of a request, each of which may open: `x-api-key` and the Bearer token."""
    key = (header(connection, b"x-api-key") or "").strip()
    scheme, _, token = (header(connection, b"authorization") or "").partition(" ")
    return tuple(filter(None, (key, token.strip() if scheme.lower() == "bearer" else "")))


def address_of(connection: HTTPConnection) -> str:
    client = connection.scope.get("client")
    return client[0] if client else "unknown"


def read_token(token: str, secret: str, now: datetime) -> dict[str, Any] | None:
    """Return the claims of a JWT, or None for anything but a sound one.

    RFC 7519 as narrow as it goes: HS256, a header of `alg` and `typ` alone, no name twice, `exp` a number that lies
    ahead by at most ten years, `roles` a list of texts.
    """
    if len(token) > MAX_TOKEN or not TOKEN.fullmatch(token):
        return None
    try:
        if not _is_plain_header(jwt.utils.base64url_decode(token.partition(".")[0])):
            return None
        payload = jwt.api_jws.PyJWS().decode(token, secret, algorithms=["HS256"])
        claims = json.loads(payload, object_pairs_hook=_once)
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) and _are_sound(claims, now.timestamp()) else None


def _name_in(claims: dict[str, Any]) -> str:
    """Give what a token calls its bearer, fit to be written down: JSON may hold halves of characters."""
    name = claims.get("sub")
    if not isinstance(name, str):
        return "token"
    return "".join(each if each.isprintable() else "\ufffd" for each in name[:100])


def _is_plain_header(header: bytes) -> bool:
    found = json.loads(header, object_pairs_hook=_once)
    return isinstance(found, dict) and found.get("alg") == "HS256" and found.keys() <= {"alg", "typ"}


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def _are_sound(claims: dict[str, Any], now: float) -> bool:
    expires, begins, roles = claims.get("exp"), claims.get("nbf", 0), claims.get("roles")
    if not _is_number(expires) or not _is_number(begins) or not isinstance(roles, list):
        return False
    is_in_time = now < expires <= now + MAX_AHEAD.total_seconds() and begins <= now
    return is_in_time and all(isinstance(role, str) for role in roles)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_told_by_trusted(connection: HTTPConnection, address: str) -> bool:
    """Whether the address is what the nearest proxy tells: the server takes it over only from a trusted one.

    One who names itself so gains nothing.
    """
    told = ",".join(connection.headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()
    return bool(told) and told == address


def _is_within(address: str, networks: Sequence[str]) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return any(found in ipaddress.ip_network(network, strict=False) for network in networks)


def _is_private(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_private
