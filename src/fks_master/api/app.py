"""The routes, and what every answer carries: a request id, security headers, CORS for reading, a count."""

import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from fks_master.api.guard import Guard
from fks_master.api.live import LiveFeed
from fks_master.api.view import View
from fks_master.clock import Clock
from fks_master.hub import Hub
from fks_master.metrics import Metrics

STATIC = Path(__file__).parent / "static"
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
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": (
        "authorization, content-type, x-api-key, x-request-id, traceparent, idempotency-key"
    ),
    "Access-Control-Max-Age": "600",
}


def as_json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def problem(status: int, title: str, detail: str) -> Response:
    """Return an RFC 9457 problem document."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Response(msgspec.json.encode(body), status, media_type="application/problem+json")


class Observed:
    """Wraps the application: request id, headers, count and duration by route template."""

    def __init__(self, app: ASGIApp, metrics: Metrics, clock: Clock) -> None:
        self._app = app
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        started = self._clock.monotonic()
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                extra = [(b"x-request-id", request_id), *SECURITY_HEADERS]
                if scope["method"] in {"GET", "HEAD"}:
                    extra.append((b"access-control-allow-origin", b"*"))
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            method = scope["method"] if scope["method"] in METHODS else "other"
            path = scope["state"].get("template", "other") if "state" in scope else "other"
            self._metrics.request(method, path, status, self._clock.monotonic() - started)


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and REQUEST_ID.fullmatch(value.decode("latin-1")):
            return bytes(value)
    return secrets.token_hex(16).encode()


class Api:
    """The routes' functions."""

    def __init__(self, view: View, reason_unwell: Callable[[], str | None]) -> None:
        self._view = view
        self._reason_unwell = reason_unwell

    async def page(self, _: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def health(self, _: Request) -> Response:
        reason = self._reason_unwell()
        body: dict[str, Any] = {
            "status": "healthy" if reason is None else "unhealthy",
            "service": "fks_master",
            "timestamp": self._view.clock.now(),
        }
        if reason is None:
            return as_json(body)
        return as_json({**body, "reason": reason}, 503)

    async def aggregate(self, _: Request) -> Response:
        return as_json(self._view.aggregate())

    async def services(self, _: Request) -> Response:
        return as_json(self._view.statuses())

    async def service_health(self, request: Request) -> Response:
        service_id = request.path_params["service_id"]
        health = self._view.health(service_id)
        if health is None:
            return problem(404, "Unknown service", f"no service {service_id[:100]!r} is watched; see /api/services")
        return as_json(health)

    async def system(self, _: Request) -> Response:
        return as_json(self._view.system(self._view.statuses()))

    async def prometheus(self, _: Request) -> Response:
        return Response(self._view.prometheus(), media_type="text/plain; version=0.0.4; charset=utf-8")


def templated(path: str, endpoint: Callable[..., Any]) -> Route:
    """Make a route that leaves its template in the scope, for the metrics."""

    async def handle(request: Request) -> Response:
        request.scope.setdefault("state", {})["template"] = path
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=PREFLIGHT)
        response: Response = await endpoint(request)
        return response

    return Route(path, handle, methods=["GET", "OPTIONS"])


def build(hub: Hub, metrics: Metrics, clock: Clock, guard: Guard, reason_unwell: Callable[[], str | None]) -> ASGIApp:
    """Put the application together."""
    view = View(hub, metrics, clock)
    api = Api(view, reason_unwell)
    feed = LiveFeed(hub, view, metrics)

    async def guarded_feed(socket: WebSocket) -> None:
        refusal = guard.refuses(socket)
        if refusal is None:
            await feed(socket)
        else:
            await socket.send_denial_response(problem(refusal.status, "Refused", refusal.reason))

    async def not_found(request: Request, _: Exception) -> Response:
        return problem(404, "Not found", f"there is nothing at {request.url.path[:200]!r}; see / and /api/services")

    async def not_allowed(request: Request, _: Exception) -> Response:
        return problem(405, "Method not allowed", f"{request.method[:20]} is not possible here")

    routes = [
        templated("/", api.page),
        templated("/health", api.health),
        templated("/health/aggregate", api.aggregate),
        templated("/api/services", api.services),
        templated("/api/services/{service_id}/health", api.service_health),
        templated("/api/metrics", api.system),
        templated("/metrics", api.prometheus),
        WebSocketRoute("/ws", guarded_feed),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return Observed(Starlette(routes=routes, exception_handlers={404: not_found, 405: not_allowed}), metrics, clock)
