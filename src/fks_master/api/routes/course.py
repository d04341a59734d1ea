"""How the containers and the phases of checks went: charts from memory, since the monitor started."""

import math
from datetime import UTC, datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fks_master.api.answers import as_json, problem
from fks_master.api.endpoint import Access, Endpoint
from fks_master.api.questions import read_query
from fks_master.api.routes.history import RangeQuery
from fks_master.api.routes.services import unknown_service
from fks_master.clock import Clock
from fks_master.hub import Hub
from fks_master.metrics.course import Course

MILLISECONDS = 1000


class UsagePoint(msgspec.Struct, frozen=True):
    """What a container used on average from `at` on; null where not known. Rates are bytes a second."""

    at: datetime
    cpu_percent: float | None
    memory_bytes: float | None
    memory_limit_bytes: float | None
    network_in_rate: float | None
    network_out_rate: float | None
    block_read_rate: float | None
    block_write_rate: float | None


class PhasePoint(msgspec.Struct, frozen=True):
    """What each part of an answered check took on average from `at` on, in milliseconds."""

    at: datetime
    dns_ms: float | None
    connect_ms: float | None
    tls_ms: float | None
    first_byte_ms: float | None
    transfer_ms: float | None


class ServiceUsage(msgspec.Struct, frozen=True):
    """What the container of a service used; no points before the monitor started."""

    service_id: str
    since: datetime
    until: datetime
    step_seconds: int
    points: list[UsagePoint]


class ServicePhases(msgspec.Struct, frozen=True):
    """Where the time of a service's checks went; no points before the monitor started."""

    service_id: str
    since: datetime
    until: datetime
    step_seconds: int
    points: list[PhasePoint]


class CourseRoutes:
    """Open reading."""

    def __init__(self, course: Course, hub: Hub, clock: Clock) -> None:
        self._course = course
        self._hub = hub
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        one, public, errors = "/api/services/{service_id}", Access.PUBLIC, (400, 404)
        return [
            Endpoint(
                method="GET", path=f"{one}/usage", handle=self.usage, access=public, query=RangeQuery,
                summary="What the container used, as a chart [1h]", answer=ServiceUsage, errors=errors,
            ),
            Endpoint(
                method="GET", path=f"{one}/phases", handle=self.phases, access=public, query=RangeQuery,
                summary="Where the time of the checks went, as a chart [1h]", answer=ServicePhases, errors=errors,
            ),
        ]  # fmt: skip

    async def usage(self, request: Request) -> Response:
        bounds = self._bounds(request)
        if isinstance(bounds, Response):
            return bounds
        service_id, since, until = bounds
        step, points = self._course.usage(service_id, since, until)
        found = [UsagePoint(datetime.fromtimestamp(at, UTC), *map(_known, figures)) for at, figures in points]
        return as_json(ServiceUsage(service_id, since, until, step, found))

    async def phases(self, request: Request) -> Response:
        bounds = self._bounds(request)
        if isinstance(bounds, Response):
            return bounds
        service_id, since, until = bounds
        step, points = self._course.phases(service_id, since, until)
        found = [
            PhasePoint(datetime.fromtimestamp(at, UTC), *(_known(one * MILLISECONDS) for one in figures))
            for at, figures in points
        ]
        return as_json(ServicePhases(service_id, since, until, step, found))

    def _bounds(self, request: Request) -> tuple[str, datetime, datetime] | Response:
        service_id = request.path_params["service_id"]
        if service_id not in self._hub.services:
            return unknown_service(service_id)
        query = read_query(request, RangeQuery)
        if isinstance(query, Response):
            return query
        try:
            return (service_id, *query.bounds(self._clock.now(), "1h"))
        except ValueError as error:
            return problem(400, "Bad request", str(error))


def _known(figure: float) -> float | None:
    return None if math.isnan(figure) else round(figure, 3)
