import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from fks_master.api.index import Indexed


async def nothing(_: Request) -> Response:
    return Response()


PATHS = (
    "/",
    "/health",
    "/health/{part}",
    "/api/services",
    "/api/services/{one}/health",
    "/api/{any}",
    "/badge/{a}/{b}",
)
INDEX = Indexed([Route(path, nothing, methods=["GET"]) for path in PATHS])


@pytest.mark.parametrize(
    ("path", "method", "match", "found"),
    [
        ("/", "GET", Match.FULL, "/"),
        ("/health", "GET", Match.FULL, "/health"),
        ("/health/aggregate", "GET", Match.FULL, "/health/{part}"),
        ("/api/services", "GET", Match.FULL, "/api/services"),
        ("/api/services/x/health", "GET", Match.FULL, "/api/services/{one}/health"),
        ("/api/services/x/health", "POST", Match.PARTIAL, "/api/services/{one}/health"),
        ("/api/other", "GET", Match.FULL, "/api/{any}"),
        ("/badge/1/2", "GET", Match.FULL, "/badge/{a}/{b}"),
        ("/api/services/", "GET", Match.FULL, "/api/services"),
        ("/api/services//", "GET", Match.NONE, ""),
        ("/api/services/x/y", "GET", Match.NONE, ""),
        ("//", "GET", Match.NONE, ""),
        ("", "GET", Match.NONE, ""),
    ],
)
def test_a_path_finds_its_route(path: str, method: str, match: Match, found: str) -> None:
    matched, scope = INDEX.matches({"type": "http", "path": path, "method": method, "headers": []})
    assert matched is match
    assert (scope["fks_route"].path if scope else "") == found
