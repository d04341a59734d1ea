"""What comes with a request, read strictly; and what is answered where it cannot be."""

from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fks_master.api.answers import problem
from fks_master.errors import StorageError

T = TypeVar("T")

MAX_BODY = 65536


def read_query(request: Request, shape: type[T]) -> T | Response:
    """Read the query string, or return the problem to answer with."""
    try:
        return msgspec.convert(dict(request.query_params), shape, strict=False)
    except msgspec.ValidationError as error:
        return problem(400, "Bad query", str(error))


async def read_body(request: Request, shape: type[T]) -> T | Response:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            return problem(413, "Too large", f"at most {MAX_BODY} bytes")
    try:
        return msgspec.json.decode(body or b"{}", type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return problem(400, "Bad body", str(error))


def unavailable(error: StorageError) -> Response:
    return problem(503, "History is not available", f"the store does not answer: {error}"[:300])
