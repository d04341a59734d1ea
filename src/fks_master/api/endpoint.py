"""One route of the API as data: the table of these decides routing, access, CORS, metrics and the OpenAPI document."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

Handler = Callable[[Request], Awaitable[Response]]
Refuse = Callable[[Request, int, str], Response]


class Access(StrEnum):
    """What a caller needs.

    OPEN is for everybody, always. PUBLIC is open reading, with CORS for every origin, unless `public_read` is off.
    READ needs a credential that may read, once one is configured; OPERATE and ADMIN likewise, and an Origin and Host
    that may change things.
    """

    OPEN = "open"
    PUBLIC = "public"
    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"

    @property
    def is_change(self) -> bool:
        return self in {Access.OPERATE, Access.ADMIN}

    @property
    def is_for_every_origin(self) -> bool:
        return self in {Access.OPEN, Access.PUBLIC}


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A method and a path, who may, and what goes in and comes out.

    `answer`, `body` and `query` are msgspec types, for the document alone; None where there is no JSON. `errors` are
    the statuses that come as problem documents. `media_type` is that of an answer which is not JSON. `refuse` writes a
    refusal (status, reason) where the contract wants another shape than a problem document: `answer`'s own or, as a
    problem document with more in it, `refusal`. `also` are further answers in JSON, by status.
    """

    method: str
    path: str
    handle: Handler
    access: Access
    summary: str
    answer: Any = None
    status: int = 200
    body: Any = None
    query: Any = None
    errors: tuple[int, ...] = ()
    media_type: str = "application/json"
    refuse: Refuse | None = None
    refusal: Any = None
    also: tuple[tuple[int, Any], ...] = ()
