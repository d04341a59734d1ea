"""Restart, start and stop of a service."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fks_master.api.answers import as_json
from fks_master.api.auth import Caller
from fks_master.api.commands import Fields, RefusedError, Remote, Send, key_of
from fks_master.api.endpoint import Access, Endpoint
from fks_master.clock import Clock
from fks_master.control.controller import Action, Controller, Done, Origin
from fks_master.tracing import outgoing

LONGEST_KEY = 200


class ActionResult(msgspec.Struct, frozen=True):
    """The seed's RestartResult, for all three."""

    service_id: str
    success: bool
    message: str
    timestamp: datetime


def result_of(done: Done) -> ActionResult:
    return ActionResult(done.service_id, done.success, done.message, done.timestamp)


def origin_of(request: Request) -> Origin:
    """Return who asked, and under which ids."""
    state = request.scope["state"]
    key = request.headers.get("idempotency-key", "")[:LONGEST_KEY] or None
    return Origin(state["caller"].name, state.get("request_id"), key, outgoing() or request.headers.get("traceparent"))


class ControlRoutes:
    """`controller` is None where control is switched off."""

    def __init__(self, controller: Controller | None, clock: Clock, unauthorized: Callable[[], None]) -> None:
        self._controller = controller
        self._clock = clock
        self._unauthorized = unauthorized

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="POST",
                path=f"/api/services/{{service_id}}/{action}",
                handle=self._handler(action),
                access=Access.OPERATE,
                summary=f"{action.capitalize()} the container of a service; one action at a time",
                answer=ActionResult,
                errors=(401, 403, 404, 409, 421, 429, 502, 503),
                refuse=self._refuse,
            )
            for action in Action
        ]

    def _handler(self, action: Action) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            if self._controller is None:
                return self._failed(request, 403, "control disabled")
            done = await self._controller.act(request.path_params["service_id"], action, origin_of(request))
            return as_json(result_of(done), done.status)

        return handle

    def _refuse(self, request: Request, status: int, reason: str) -> Response:
        self._unauthorized()
        return self._failed(request, status, reason)

    def _failed(self, request: Request, status: int, reason: str) -> Response:
        service_id = request.path_params["service_id"]
        return as_json(ActionResult(service_id, False, reason, self._clock.now()), status)  # noqa: FBT003


def restart_command(controller: Controller | None, unauthorized: Callable[[], None]) -> Remote:
    """Answer `restart_service` of the live feed."""

    async def restart(fields: Fields, caller: Caller, send: Send) -> None:
        service_id = fields.get("service_id")
        if not isinstance(service_id, str):
            raise RefusedError(400, "service_id: expected a text")
        if controller is None:
            raise RefusedError(403, "control disabled")
        done = result_of(await controller.act(service_id, Action.RESTART, Origin(caller.name, key=key_of(fields))))
        flat = msgspec.to_builtins(done)
        await send({"type": "restart_result", "service_id": service_id, "result": flat, **flat})

    return Remote(access=Access.OPERATE, handle=restart, unauthorized=unauthorized)
