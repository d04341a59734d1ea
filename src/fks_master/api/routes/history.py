"""The past in figures: uptime, latency, charts and badges."""

import re
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fks_master.api.answers import as_json, problem
from fks_master.api.endpoint import Access, Endpoint
from fks_master.api.questions import read_query, unavailable
from fks_master.api.routes.services import unknown_service
from fks_master.clock import Clock
from fks_master.errors import StorageError
from fks_master.history.badge import GREEN, GREY, RED, YELLOW, badge, uptime_colour, uptime_text
from fks_master.history.measures import Latency, Measures, Recent, Series
from fks_master.history.uptime import Uptime
from fks_master.hub import Hub
from fks_master.model import Status

UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}
RANGE = re.compile(r"([1-9][0-9]{0,4})([mhdwy])")
STANDARD = ("24h", "7d", "30d", "90d", "1y")
LONGEST = timedelta(days=3660)
LONGEST_RECENT = timedelta(hours=1)
COLOURS = {Status.HEALTHY: GREEN, Status.DEGRADED: YELLOW, Status.UNHEALTHY: RED, Status.UNKNOWN: GREY}


class RangeQuery(msgspec.Struct, frozen=True, rename={"window": "range"}):
    """Either `range`, such as 24h, 7d, 4w or 1y, back from now; or `since` and, unless it is now, `until`."""

    window: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def bounds(self, now: datetime, default: str) -> tuple[datetime, datetime]:
        """Raise ValueError for what is no range."""
        until = self.until or now
        if until.tzinfo is None or (self.since and self.since.tzinfo is None):
            raise ValueError("a time needs its zone, such as 2026-01-31T12:00:00Z")
        since = self.since or until - length(self.window or default)
        if not since < until <= since + LONGEST:
            raise ValueError("since must lie before until, and at most ten years")
        return since, until


def length(text: str) -> timedelta:
    match = RANGE.fullmatch(text)
    if match is None or (span := timedelta(seconds=int(match[1]) * UNITS[match[2]])) > LONGEST:
        raise ValueError("range is a number and one of m, h, d, w, y, such as 24h; ten years at most")
    return span


class ServiceUptime(msgspec.Struct, frozen=True):
    """`ranges` by name, such as 24h; `range` where one was asked for."""

    service_id: str
    ranges: dict[str, Uptime]


class FleetUptime(msgspec.Struct, frozen=True):
    """Every service over the same range; one of which nothing is known has a null percentage."""

    since: datetime
    until: datetime
    services: dict[str, Uptime]


class RecentQuery(msgspec.Struct, frozen=True):
    """How many checks of each service."""

    checks: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class HistoryRoutes:
    """Open reading."""

    def __init__(self, measures: Measures, hub: Hub, clock: Clock) -> None:
        self._measures = measures
        self._hub = hub
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        one, public, errors = "/api/services/{service_id}", Access.PUBLIC, (400, 404, 503)
        svg = "image/svg+xml"
        return [
            Endpoint(
                method="GET", path="/api/uptime", handle=self.fleet, access=public, query=RangeQuery,
                summary="Uptime of every service [30d]", answer=FleetUptime, errors=(400, 503),
            ),
            Endpoint(
                method="GET", path="/api/history/recent", handle=self.recent, access=public, query=RecentQuery,
                summary="The last checks of every service, in few bytes", answer=Recent, errors=(400, 503),
            ),
            Endpoint(
                method="GET", path=f"{one}/uptime", handle=self.uptime, access=public, query=RangeQuery,
                summary="Uptime over 24h, 7d, 30d, 90d and 1y, or over the range asked for", answer=ServiceUptime,
                errors=errors,
            ),
            Endpoint(
                method="GET", path=f"{one}/history", handle=self.history, access=public, query=RangeQuery,
                summary="A chart: latency, failures and status [24h]", answer=Series, errors=errors,
            ),
            Endpoint(
                method="GET", path=f"{one}/latency", handle=self.latency, access=public, query=RangeQuery,
                summary="Latency percentiles [24h]", answer=Latency, errors=errors,
            ),
            Endpoint(
                method="GET", path=f"{one}/badge/health.svg", handle=self.health_badge, access=public,
                summary="The present status as a badge", media_type=svg, errors=(404,),
            ),
            Endpoint(
                method="GET", path=f"{one}/badge/uptime.svg", handle=self.uptime_badge, access=public,
                query=RangeQuery, summary="Uptime as a badge [30d]", media_type=svg, errors=errors,
            ),
            Endpoint(
                method="GET", path=f"{one}/badge/latency.svg", handle=self.latency_badge, access=public,
                query=RangeQuery, summary="The 95th percentile as a badge [24h]", media_type=svg, errors=errors,
            ),
        ]  # fmt: skip

    async def fleet(self, request: Request) -> Response:
        bounds = self._bounds(request, "30d")
        if isinstance(bounds, Response):
            return bounds
        try:
            known = await self._measures.fleet(*bounds)
        except StorageError as error:
            return unavailable(error)
        nothing = Uptime(None, 0.0, 0.0, 0.0, (bounds[1] - bounds[0]).total_seconds())
        return as_json(FleetUptime(*bounds, {name: known.get(name, nothing) for name in self._hub.services}))

    async def recent(self, request: Request) -> Response:
        query = read_query(request, RecentQuery)
        if isinstance(query, Response):
            return query
        longest = max((one.interval_seconds for one in self._hub.services.values()), default=0.0)
        since = self._clock.now() - min(timedelta(seconds=query.checks * longest), LONGEST_RECENT)
        try:
            found = await self._measures.recent(query.checks, since)
        except StorageError as error:
            return unavailable(error)
        watched = self._hub.services
        return as_json(Recent({name: checks for name, checks in found.services.items() if name in watched}))

    async def uptime(self, request: Request) -> Response:
        bounds = self._about_one(request, "24h")
        if isinstance(bounds, Response):
            return bounds
        now, service_id = self._clock.now(), request.path_params["service_id"]
        ranges = {"range": bounds} if request.query_params else {one: (now - length(one), now) for one in STANDARD}
        try:
            found = {name: await self._measures.uptime(service_id, *each) for name, each in ranges.items()}
        except StorageError as error:
            return unavailable(error)
        return as_json(ServiceUptime(service_id, found))

    async def history(self, request: Request) -> Response:
        bounds = self._about_one(request, "24h")
        if isinstance(bounds, Response):
            return bounds
        try:
            return as_json(await self._measures.series(request.path_params["service_id"], *bounds))
        except StorageError as error:
            return unavailable(error)

    async def latency(self, request: Request) -> Response:
        bounds = self._about_one(request, "24h")
        if isinstance(bounds, Response):
            return bounds
        try:
            return as_json(await self._measures.latency(request.path_params["service_id"], *bounds))
        except StorageError as error:
            return unavailable(error)

    async def health_badge(self, request: Request) -> Response:
        service_id = request.path_params["service_id"]
        state = self._hub.states.get(service_id)
        if state is None:
            return unknown_service(service_id)
        return _svg(badge("health", state.status, COLOURS[state.status]))

    async def uptime_badge(self, request: Request) -> Response:
        bounds = self._about_one(request, "30d")
        if isinstance(bounds, Response):
            return bounds
        try:
            percent = (await self._measures.uptime(request.path_params["service_id"], *bounds)).uptime_percent
        except StorageError as error:
            return unavailable(error)
        return _svg(badge("uptime", uptime_text(percent), uptime_colour(percent)))

    async def latency_badge(self, request: Request) -> Response:
        bounds = self._about_one(request, "24h")
        if isinstance(bounds, Response):
            return bounds
        try:
            found = (await self._measures.latency(request.path_params["service_id"], *bounds)).p95_ms
        except StorageError as error:
            return unavailable(error)
        text = "unknown" if found is None else f"{found:.0f} ms"
        return _svg(badge("latency p95", text, GREY if found is None else GREEN))

    def _about_one(self, request: Request, default: str) -> tuple[datetime, datetime] | Response:
        service_id = request.path_params["service_id"]
        if service_id not in self._hub.services:
            return unknown_service(service_id)
        return self._bounds(request, default)

    def _bounds(self, request: Request, default: str) -> tuple[datetime, datetime] | Response:
        query = read_query(request, RangeQuery)
        if isinstance(query, Response):
            return query
        try:
            return query.bounds(self._clock.now(), default)
        except (ValueError, OverflowError) as error:
            return problem(400, "Bad range", str(error))


def _svg(text: str) -> Response:
    return Response(text, media_type="image/svg+xml", headers={"Cache-Control": "max-age=60"})
