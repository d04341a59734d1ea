"""The monitor itself: its page, its health, its metrics."""

from collections.abc import Callable
from datetime import datetime

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from fks_master.api.answers import as_json
from fks_master.api.endpoint import Access, Endpoint
from fks_master.api.schemas import SystemMetrics
from fks_master.api.static_files import STATIC
from fks_master.api.view import View


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """`GET /health`; `reason` only when unhealthy."""

    status: str
    service: str
    timestamp: datetime
    reason: str | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How the monitor itself stands; `warnings` are what its owner should know and do something about."""

    version: str
    started_at: datetime
    open_mode: bool
    control_enabled: bool
    tls: bool
    docker_version: str | None
    config: str | None
    services: int
    checks_completed: int
    loop_lag_seconds: float
    store_failing: bool
    results_dropped: int
    warnings: tuple[str, ...]


class MonitorRoutes:
    """`reason_unwell` says why the monitor does not do its job; None: it does."""

    def __init__(self, view: View, reason_unwell: Callable[[], str | None], standing: Callable[[], Standing]) -> None:
        self._view = view
        self._reason_unwell = reason_unwell
        self._standing = standing

    def endpoints(self) -> list[Endpoint]:
        page, text = "text/html", "text/plain"
        get = "GET"
        return [
            Endpoint(
                method=get, path="/", handle=self.page, access=Access.OPEN, summary="The dashboard", media_type=page
            ),
            Endpoint(
                method=get,
                path="/health",
                handle=self.health,
                access=Access.OPEN,
                summary="Whether the monitor does its job; 503 and a reason when it does not",
                answer=Health,
            ),
            Endpoint(
                method=get,
                path="/api/status",
                handle=self.status,
                access=Access.READ,
                summary="How the monitor itself stands, and what its owner should know",
                answer=Standing,
            ),
            Endpoint(
                method=get,
                path="/api/metrics",
                handle=self.system,
                access=Access.PUBLIC,
                summary="Totals over all services",
                answer=SystemMetrics,
            ),
            Endpoint(
                method=get,
                path="/metrics",
                handle=self.prometheus,
                access=Access.PUBLIC,
                summary="Prometheus text",
                media_type=text,
            ),
        ]

    async def page(self, _: Request) -> Response:
        return FileResponse(STATIC / "app" / "index.html")

    async def health(self, _: Request) -> Response:
        reason = self._reason_unwell()
        word = "healthy" if reason is None else "unhealthy"
        return as_json(Health(word, "fks_master", self._view.clock.now(), reason), 200 if reason is None else 503)

    async def status(self, _: Request) -> Response:
        return as_json(self._standing())

    async def system(self, _: Request) -> Response:
        return as_json(self._view.system(self._view.statuses()))

    async def prometheus(self, _: Request) -> Response:
        pieces = []
        for piece in self._view.prometheus():
            pieces.append(piece)
            await self._view.clock.sleep(0)  # the checks have their turn
        return Response(b"".join(pieces), media_type="text/plain; version=0.0.4; charset=utf-8")
