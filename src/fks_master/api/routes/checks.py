"""Asking for a check now instead of when it is due."""

from collections.abc import Callable, Iterable

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fks_master.api.answers import as_json
from fks_master.api.endpoint import Access, Endpoint
from fks_master.api.routes.services import unknown_service
from fks_master.hub import Hub


class CheckBegun(msgspec.Struct, frozen=True):
    """The check is under way; its result comes by `/ws` and `/api/services`."""

    service_id: str


class CheckRoutes:
    """Costs the target a request, so it needs the right to operate."""

    def __init__(self, hub: Hub, look_now: Callable[[Iterable[str]], None]) -> None:
        self._hub = hub
        self._look_now = look_now

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="POST",
                path="/api/services/{service_id}/check",
                handle=self.check,
                access=Access.OPERATE,
                summary="Check a service now; 202, the result follows",
                answer=CheckBegun,
                errors=(401, 403, 404, 421, 429),
            )
        ]

    async def check(self, request: Request) -> Response:
        service_id = request.path_params["service_id"]
        if service_id not in self._hub.services:
            return unknown_service(service_id)
        self._look_now([service_id])
        return as_json(CheckBegun(service_id), 202)
