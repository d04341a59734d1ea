"""One header of a request, read straight from what the server hands over: every request is asked for several."""

from starlette.requests import HTTPConnection


def header(connection: HTTPConnection, name: bytes) -> str | None:
    """Return the first header of that name, which is in lower case; None where there is none."""
    for known, value in connection.scope["headers"]:
        if known == name:
            return str(value, "latin-1")
    return None
