"""What stands before every endpoint and every command."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import structlog
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response, StreamingResponse

from fks_master.api.answers import problem
from fks_master.api.audit import MAX_TEXT, Attempt, Audit
from fks_master.api.auth import Caller, Doorkeeper, address_of, presented
from fks_master.api.endpoint import Access, Endpoint
from fks_master.api.guard import Guard, Refusal
from fks_master.clock import Clock

log = structlog.get_logger(__name__)

RECHECK_SECONDS = 10.0
UNHEARD = frozenset({401, 403, 421, 429})  # in the audit trail, but nobody shall be able to flood the log with them


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

    def still_admits(self, access: Access, credentials: tuple[str, ...]) -> bool:
        """Whether one who was let in with these credentials may stay: keys are changed and tokens expire meanwhile."""
        if access is Access.OPEN or (access is Access.PUBLIC and self.doorkeeper.authority.public_read):
            return True
        caller = self.doorkeeper.who(credentials)
        return caller is not None and caller.may(Access.READ if access is Access.PUBLIC else access)

    def record(
        self, connection: HTTPConnection, caller: Caller | None, what: tuple[str, str], status: int, started: float
    ) -> None:
        """Keep who tried what on what; the log has a line for what was let in, with the ids of request and trace."""
        action, target = what
        attempt = Attempt(
            at=self.clock.now(),
            who=caller.name if caller else "wrong credential",
            address=address_of(connection),
            action=action,
            target=target[:MAX_TEXT],
            request_id=connection.scope["state"].get("request_id", ""),
            outcome=status,
            seconds=round(self.clock.monotonic() - started, 6),
        )
        self._audit.record(attempt)
        if status not in UNHEARD:
            said = {"who": attempt.who, "action": action, "target": attempt.target, "outcome": status}
            log.info("change", **said, request_id=attempt.request_id, seconds=attempt.seconds)

    async def enter(self, endpoint: Endpoint, request: Request) -> Response:
        caller = self.doorkeeper.caller_of(request)
        request.scope["state"]["caller"] = caller
        started = self.clock.monotonic()
        status = 500
        try:
            refusal = self.refuses(request, endpoint.access, caller)
            response = _refused(endpoint, request, refusal) if refusal else await endpoint.handle(request)
            status = response.status_code
            if isinstance(response, StreamingResponse) and not endpoint.access.is_for_every_origin:
                stream = aiter(response.body_iterator)
                response.body_iterator = self._while_admitted(stream, endpoint.access, presented(request))
        finally:
            if endpoint.access.is_change:
                what = f"{endpoint.method} {endpoint.path}", request.scope["path"]
                self.record(request, caller, what, status, started)
        return response

    async def _while_admitted(
        self, stream: AsyncIterator[Any], access: Access, credentials: tuple[str, ...]
    ) -> AsyncGenerator[Any]:
        """Pass a stream on, and end it soon after its reader may no longer read, even while nothing comes."""
        asked_at, coming = self.clock.monotonic(), asyncio.ensure_future(anext(stream, None))
        try:
            while True:
                await asyncio.wait({coming}, timeout=RECHECK_SECONDS)
                if self.clock.monotonic() - asked_at >= RECHECK_SECONDS:
                    asked_at = self.clock.monotonic()
                    if not self.still_admits(access, credentials):
                        return
                if coming.done():
                    if (piece := coming.result()) is None:
                        return
                    yield piece
                    coming = asyncio.ensure_future(anext(stream, None))
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()


def _refused(endpoint: Endpoint, request: Request, refusal: Refusal) -> Response:
    refuse = endpoint.refuse or _problem
    response = refuse(request, refusal.status, refusal.reason)
    if refusal.status == 401:
        response.headers["www-authenticate"] = "Bearer"
    return response


def _problem(_: Request, status: int, reason: str) -> Response:
    return problem(status, "Refused", reason)
