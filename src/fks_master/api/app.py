"""The routes, and what every answer carries: a request id, security headers, CORS for reading, a count."""

import asyncio
import os
import re
from collections.abc import Iterable

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from fks_master.api.answers import problem
from fks_master.api.doors import Doors
from fks_master.api.endpoint import Endpoint
from fks_master.api.guard import Guard
from fks_master.api.index import Indexed
from fks_master.api.live import LiveFeed
from fks_master.api.static_files import STATIC
from fks_master.clock import Clock
from fks_master.metrics import Metrics
from fks_master.tracing import Kind, Span, Tracer

log = structlog.get_logger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECURITY_HEADERS = [
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": (
        "authorization, content-type, x-api-key, x-request-id, traceparent, idempotency-key"
    ),
    "Access-Control-Max-Age": "600",
}


class Observed:
    """Wraps the application: request id, headers, count and duration by route template."""

    def __init__(self, app: ASGIApp, metrics: Metrics, clock: Clock, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id.decode()
        extra = [(b"x-request-id", request_id), *SECURITY_HEADERS]
        if scope["type"] != "http":
            await self._app(scope, receive, _with_headers(send, extra))
            return
        started = self._clock.monotonic()
        status: int | None = None

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                state, headers = scope["state"], [*message["headers"], *extra]
                if scope["method"] in {"GET", "HEAD"} and state.get("is_for_every_origin"):
                    headers.append((b"access-control-allow-origin", b"*"))
                elif "origin" in state:
                    headers += [(b"access-control-allow-origin", state["origin"].encode()), (b"vary", b"Origin")]
                message["headers"] = headers
            await send(message)

        try:
            structlog.contextvars.bind_contextvars(request_id=scope["state"]["request_id"])  # each has its own task
            with self._tracer.span("HTTP", traceparent=_traceparent(scope), kind=Kind.SERVER) as span:
                try:
                    await self._app(scope, receive, send_with_headers)
                except asyncio.CancelledError:  # the server ends, and has waited for us long enough
                    if status is None:
                        await problem(503, "Service Unavailable", "FKS Master stops")(scope, receive, send_with_headers)
                finally:
                    _describe(span, scope, status or 500)
        finally:
            method = scope["method"] if scope["method"] in METHODS else "other"
            path = scope["state"].get("template", "other")
            self._metrics.request(method, path, status or 500, self._clock.monotonic() - started)


def _with_headers(send: Send, extra: list[tuple[bytes, bytes]]) -> Send:
    """Put them into the answer to a handshake, be it a refusal."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] in {"websocket.accept", "websocket.http.response.start"}:
            message["headers"] = [*message.get("headers", ()), *extra]
        await send(message)

    return send_with_headers


def _describe(span: Span, scope: Scope, status: int) -> None:
    """Name a request as OpenTelemetry's conventions do."""
    method = scope["method"] if scope["method"] in METHODS else "other"
    route = scope["state"].get("template", "other")
    span.rename(f"{method} {route}")
    span.note("http.request.method", method)
    span.note("http.route", route)
    span.note("http.response.status_code", status)
    span.note("fks.request_id", scope["state"]["request_id"])
    if status >= 500:
        span.fail(f"HTTP {status}")


def _traceparent(scope: Scope) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), None)


def _shown(request: Request) -> str:
    """Return the route for the log, not the path: that may hold a token."""
    template: str = request.scope.get("state", {}).get("template", "other")
    return template


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and REQUEST_ID.fullmatch(value.decode("latin-1")):
            return bytes(value)
    return os.urandom(16).hex().encode()


def routed(endpoints: Iterable[Endpoint], doors: Doors) -> list[Route]:
    """Make one route a path, its methods told apart inside, so that a preflight is answered everywhere."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [_route(path, methods, doors) for path, methods in by_path.items()]


def _route(path: str, methods: dict[str, Endpoint], doors: Doors) -> Route:
    async def handle(request: Request) -> Response:
        state = request.scope["state"]
        if request.method == "OPTIONS":
            return _preflight(methods, request, doors.guard)
        endpoint = methods["GET" if request.method == "HEAD" else request.method]
        state["is_for_every_origin"] = endpoint.access.is_for_every_origin
        if doors.guard.knows_origin(request):
            state["origin"] = request.headers["origin"]
        return await doors.enter(endpoint, request)

    return Route(path, handle, methods=[*methods, "OPTIONS"])


def _preflight(methods: dict[str, Endpoint], request: Request, guard: Guard) -> Response:
    """Answer for every origin where everybody may read, else for the listed ones alone."""
    asked = methods.get(request.headers.get("access-control-request-method", "GET"))
    heads = {"HEAD"} if "GET" in methods else set()
    possible = {"Allow": ", ".join(sorted({*methods, *heads, "OPTIONS"}))}
    if asked is not None and asked.access.is_for_every_origin:
        return Response(status_code=204, headers={**PREFLIGHT, **possible})
    if guard.knows_origin(request):
        allowed = {"Access-Control-Allow-Origin": request.headers["origin"], "Vary": "Origin"}
        return Response(status_code=204, headers={**PREFLIGHT, **possible, **allowed})
    return Response(status_code=204, headers=possible)


def build(feed: LiveFeed, doors: Doors, metrics: Metrics, endpoints: Iterable[Endpoint], tracer: Tracer) -> ASGIApp:
    """Put the application together from the table of endpoints and the live feed."""

    async def guarded_feed(socket: WebSocket) -> None:
        refusal = doors.guard.refuses(socket)
        if refusal is None:
            await feed(socket)
        else:
            await socket.send_denial_response(problem(refusal.status, "Refused", refusal.reason))

    async def no_feed(socket: WebSocket) -> None:
        await socket.send_denial_response(problem(404, "Not found", "the live feed is at /ws"))

    async def feed_alone(request: Request) -> Response:
        request.scope["state"]["template"] = "/ws"
        answer = problem(426, "Upgrade Required", "this is the live feed, a WebSocket")
        answer.headers.update({"Upgrade": "websocket", "Connection": "Upgrade"})
        return answer

    indexed = Indexed(routed(endpoints, doors))
    routes = [
        indexed,
        *(WebSocketRoute(path, guarded_feed) for path in ("/ws", "/ws/")),
        *(Route(path, feed_alone) for path in ("/ws", "/ws/")),
        WebSocketRoute("/{path:path}", no_feed),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    handlers = {404: _not_found, 405: _not_allowed, 500: _failed, ClientDisconnect: _gone}
    others = Starlette(routes=routes, exception_handlers=handlers)
    others.router.redirect_slashes = False
    return Observed(Entrance(indexed, others), metrics, doors.clock, tracer)


class Entrance:
    """Leads straight to our own routes, which spares half the cost of a request; all else takes Starlette's way."""

    def __init__(self, indexed: Indexed, others: ASGIApp) -> None:
        self._indexed = indexed
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (route := self._indexed.find(scope)) is None:
            await self._others(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            response = await route.endpoint(request)
        except ClientDisconnect as error:
            response = await _gone(request, error)
        except Exception as error:
            await (await _failed(request, error))(scope, receive, send)
            raise
        await response(scope, receive, send)


async def _not_found(request: Request, _: Exception) -> Response:
    return problem(404, "Not found", f"there is nothing at {request.url.path[:200]!r}; see / and /api/services")


async def _not_allowed(request: Request, error: Exception) -> Response:
    answer = problem(405, "Method not allowed", f"{request.method[:20]} is not possible here")
    headers = (error.headers if isinstance(error, HTTPException) else None) or {}
    answer.headers["Allow"] = ", ".join(sorted(headers.get("Allow", "GET").split(", ")))
    return answer


async def _failed(request: Request, error: Exception) -> Response:
    log.error("request_failed", path=_shown(request), error=repr(error)[:500])
    return problem(500, "Internal error", "the monitor failed to answer; its log says why, by the X-Request-Id")


async def _gone(request: Request, _: Exception) -> Response:
    log.debug("client_gone", path=_shown(request))
    return problem(400, "Incomplete", "the request ended before its body")
