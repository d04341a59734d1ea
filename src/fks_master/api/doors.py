"""What stands before every endpoint and every command."""

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from fks_master.api.answers import problem
from fks_master.api.audit import MAX_TEXT, Attempt, Audit
from fks_master.api.auth import Caller, Doorkeeper, address_of
from fks_master.api.endpoint import Access, Endpoint
from fks_master.api.guard import Guard, Refusal
from fks_master.clock import Clock


class Doors:
    """What stands before every endpoint: Origin and Host, credential and scope; and the trail of who tried to act."""

    def __init__(self, guard: Guard, doorkeeper: Doorkeeper, audit: Audit, clock: Clock) -> None:
        self.guard = guard
        self.doorkeeper = doorkeeper
        self._audit = audit
        self.clock = clock

    def refuses(self, connection: HTTPConnection, access: Access, caller: Caller | None) -> Refusal | None:
        """Say why a caller may not; an endpoint that everybody may use asks for nothing."""
        needs_guard = access.is_change or access is Access.READ
        if needs_guard and (refusal := self.guard.refuses(connection)):
            return refusal
        if access.is_change and (refusal := self.doorkeeper.refuses_open_change(connection)):
            return refusal
        return self.doorkeeper.refuses(caller, access, address_of(connection))

    def record(self, connection: HTTPConnection, action: str, target: str, status: int, started: float) -> None:
        caller = connection.scope["state"].get("caller")
        self._audit.record(
            Attempt(
                at=self.clock.now(),
                who=caller.name if caller else "wrong credential",
                address=address_of(connection),
                action=action,
                target=target[:MAX_TEXT],
                request_id=connection.scope["state"].get("request_id", ""),
                outcome=status,
                seconds=round(self.clock.monotonic() - started, 6),
            )
        )

    async def enter(self, endpoint: Endpoint, request: Request) -> Response:
        caller = self.doorkeeper.caller_of(request)
        request.scope["state"]["caller"] = caller
        started = self.clock.monotonic()
        status = 500
        try:
            refusal = self.refuses(request, endpoint.access, caller)
            response = _refused(endpoint, request, refusal) if refusal else await endpoint.handle(request)
            status = response.status_code
        finally:
            if endpoint.access.is_change:
                self.record(request, f"{endpoint.method} {endpoint.path}", request.url.path, status, started)
        return response


def _refused(endpoint: Endpoint, request: Request, refusal: Refusal) -> Response:
    if endpoint.refuse:
        return endpoint.refuse(request, refusal.status, refusal.reason)
    response = problem(refusal.status, "Refused", refusal.reason)
    if refusal.status == 401:
        response.headers["www-authenticate"] = "Bearer"
    return response
