"""The services as they are now."""

from starlette.requests import Request
from starlette.responses import Response

from fks_master.api.answers import as_json, problem
from fks_master.api.endpoint import Access, Endpoint
from fks_master.api.schemas import Aggregate, ServiceHealth, ServiceStatus
from fks_master.api.view import View


def unknown_service(service_id: str) -> Response:
    return problem(404, "Unknown service", f"no service {service_id[:100]!r} is watched; see /api/services")


class ServiceRoutes:
    """Reading; what changes a service stands elsewhere."""

    def __init__(self, view: View) -> None:
        self._view = view

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path="/health/aggregate",
                handle=self.aggregate,
                access=Access.PUBLIC,
                summary="The whole fleet in camelCase, for a React page",
                answer=Aggregate,
            ),
            Endpoint(
                method="GET",
                path="/api/services",
                handle=self.services,
                access=Access.PUBLIC,
                summary="Every service and its status",
                answer=list[ServiceStatus],
            ),
            Endpoint(
                method="GET",
                path="/api/services/{service_id}/health",
                handle=self.health,
                access=Access.PUBLIC,
                summary="One service in detail",
                answer=ServiceHealth,
                errors=(404,),
            ),
        ]

    async def aggregate(self, _: Request) -> Response:
        return as_json(self._view.aggregate())

    async def services(self, _: Request) -> Response:
        return Response(self._view.services(), media_type="application/json")

    async def health(self, request: Request) -> Response:
        service_id = request.path_params["service_id"]
        health = self._view.health(service_id)
        return unknown_service(service_id) if health is None else as_json(health)
