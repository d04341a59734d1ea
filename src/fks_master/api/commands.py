"""Commands of the live feed that other parts carry out: one table, one check of who may, one trail."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from starlette.websockets import WebSocket

from fks_master.api.auth import Caller, presented
from fks_master.api.doors import RECHECK_SECONDS, Doors
from fks_master.api.endpoint import Access

Send = Callable[[object], Awaitable[None]]
Fields = dict[str, Any]

BEGUN = 202  # carried out, but nobody was there to hear how it ended


def key_of(fields: Fields) -> str | None:
    """Return the key under which a command, sent again, is carried out only once."""
    key = fields.get("idempotency_key")
    return key[:200] or None if isinstance(key, str) else None


class RefusedError(Exception):
    """A command cannot be carried out; `status` as REST would say it."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        super().__init__(reason)


class Remote(msgspec.Struct, frozen=True, kw_only=True):
    """Who may, what answers, which field names what is acted on, and who counts those turned away."""

    access: Access
    handle: Callable[[Fields, Caller, Send], Awaitable[None]]
    about: tuple[str, ...] = ("service_id",)
    unauthorized: Callable[[], None] = lambda: None


class Commands:
    """The table. A command's credential is its `token`, else what the client authenticated with."""

    def __init__(self, doors: Doors, table: Mapping[str, Remote]) -> None:
        self.doors = doors
        self.table = {
            "authenticate": Remote(access=Access.READ, handle=_authenticated, about=()),
            **table,
        }

    def caller_of(self, socket: WebSocket, token: object = None) -> Caller | None:
        return self.doors.doorkeeper.who(_credential(socket, token))

    def still_admits(self, socket: WebSocket, access: Access, token: object = None) -> bool:
        return self.doors.still_admits(access, _credential(socket, token))

    async def run(self, socket: WebSocket, fields: Fields, send: Send) -> None:
        """Carry out a command of the table, and tell what comes of it."""
        name = str(fields["command_type"])
        remote = self.table[name]
        status, reason = await self._while_admitted(socket, remote, fields, send)
        if status == 200 and name == "authenticate":
            socket.scope["state"]["credential"] = fields.get("token")
        if status == 401:
            remote.unauthorized()
        if status != 200:
            await send({"type": "error", "reason": reason, "command_type": name, "status": status})

    async def _while_admitted(self, socket: WebSocket, remote: Remote, fields: Fields, send: Send) -> tuple[int, str]:
        """Carry out a command, and end what still follows something once its client may no longer."""
        work = asyncio.create_task(self._recorded(socket, remote, fields, send))
        try:
            while not (await asyncio.wait({work}, timeout=RECHECK_SECONDS))[0]:
                if not self.still_admits(socket, remote.access, fields.get("token")):
                    return 401, "unauthorized"
            return work.result()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _recorded(self, socket: WebSocket, remote: Remote, fields: Fields, send: Send) -> tuple[int, str]:
        started, status, reason = self.doors.clock.monotonic(), BEGUN, ""
        try:
            status, reason = await self._try(socket, remote, fields, send)
        finally:
            if remote.access.is_change:
                target = next((str(fields[each]) for each in remote.about if fields.get(each)), "")
                self.doors.record(socket, f"ws {fields['command_type']}", target, status, started)
        return status, reason

    async def _try(self, socket: WebSocket, remote: Remote, fields: Fields, send: Send) -> tuple[int, str]:
        caller = self.caller_of(socket, fields.get("token"))
        socket.scope["state"]["caller"] = caller
        refusal = self.doors.refuses(socket, remote.access, caller)
        if refusal is not None or caller is None:
            status, reason = (refusal.status, refusal.reason) if refusal else (401, "unauthorized")
            return status, "unauthorized" if status == 401 else reason
        try:
            await remote.handle(fields, caller, send)
        except RefusedError as error:
            return error.status, str(error)
        return 200, ""


def _credential(socket: WebSocket, token: object) -> str | None:
    """Return the one of a command, else the one that the client authenticated with, else that of its handshake."""
    said = token if isinstance(token, str) and token else socket.scope["state"].get("credential")
    return said or presented(socket)


async def _authenticated(_: Fields, caller: Caller, send: Send) -> None:
    await send({"type": "authenticated", "name": caller.name})
