"""Commands of the live feed that other parts carry out: one table, one check of who may, one trail."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

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


class End(NamedTuple):
    """How a command ended, as REST would say it; `is_turned_away` where its client may not."""

    status: int
    reason: str = ""
    is_turned_away: bool = False


class Remote(msgspec.Struct, frozen=True, kw_only=True):
    """Who may, what answers, which field names what is acted on, and who counts those turned away.

    `is_proof`: the command shows a token, and does nothing else.
    """

    access: Access
    handle: Callable[[Fields, Caller, Send], Awaitable[None]]
    about: tuple[str, ...] = ("service_id",)
    unauthorized: Callable[[], None] = lambda: None
    is_proof: bool = False


class Commands:
    """The table. A command needs one good credential: its `token`, or what the client has shown before."""

    def __init__(self, doors: Doors, table: Mapping[str, Remote]) -> None:
        self.doors = doors
        self.table = {
            "authenticate": Remote(access=Access.READ, handle=_authenticated, about=(), is_proof=True),
            **table,
        }

    def caller_of(self, socket: WebSocket, token: object = None) -> Caller | None:
        return self.doors.doorkeeper.who(_credentials(socket, token))

    def still_admits(self, socket: WebSocket, access: Access, token: object = None) -> bool:
        return self.doors.still_admits(access, _credentials(socket, token))

    async def run(self, socket: WebSocket, fields: Fields, send: Send) -> None:
        """Carry out a command of the table, and tell what comes of it."""
        name = str(fields["command_type"])
        remote = self.table[name]
        end = await self._while_admitted(socket, remote, fields, send)
        if end.status == 200 and remote.is_proof:
            socket.scope["state"]["credential"] = fields.get("token")
        if end.is_turned_away:
            remote.unauthorized()
        if end.status != 200:
            reason = {"reason": "unauthorized", "detail": end.reason} if end.is_turned_away else {"reason": end.reason}
            await send({"type": "error", **reason, "command_type": name, "status": end.status})

    async def _while_admitted(self, socket: WebSocket, remote: Remote, fields: Fields, send: Send) -> End:
        """Carry out a command, and end what still follows something once its client may no longer."""
        work = asyncio.create_task(self._recorded(socket, remote, fields, send))
        try:
            while not (await asyncio.wait({work}, timeout=RECHECK_SECONDS))[0]:
                if not self.still_admits(socket, remote.access, fields.get("token")):
                    return End(401, "the credential is no longer good", is_turned_away=True)
            return work.result()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _recorded(self, socket: WebSocket, remote: Remote, fields: Fields, send: Send) -> End:
        started, end, token = self.doors.clock.monotonic(), End(BEGUN), fields.get("token")
        caller = self.doors.doorkeeper.who(_credentials(socket, token, is_proof=remote.is_proof))
        try:
            end = await self._try(socket, remote, fields, caller, send)
        finally:
            if remote.access.is_change:
                target = next((str(fields[each]) for each in remote.about if fields.get(each)), "")
                self.doors.record(socket, caller, (f"ws {fields['command_type']}", target), end.status, started)
        return end

    async def _try(self, socket: WebSocket, remote: Remote, fields: Fields, caller: Caller | None, send: Send) -> End:
        refusal = self.doors.refuses(socket, remote.access, caller)
        if refusal is not None or caller is None:
            status, reason = (refusal.status, refusal.reason) if refusal else (401, "the credential is wrong")
            return End(status, reason, is_turned_away=True)
        try:
            await remote.handle(fields, caller, send)
        except RefusedError as error:
            return End(error.status, str(error))
        return End(200)


def _credentials(socket: WebSocket, token: object, *, is_proof: bool = False) -> tuple[str, ...]:
    """Return the one of a command, the one that the client authenticated with, and those of its handshake.

    Where the token is to be proven (`is_proof`) the others do not help it.
    """
    said = (token.strip(),) if isinstance(token, str) and token.strip() else ()
    if said and is_proof:
        return said
    return (*said, *filter(None, (socket.scope["state"].get("credential"),)), *presented(socket))


async def _authenticated(_: Fields, caller: Caller, send: Send) -> None:
    await send({"type": "authenticated", "name": caller.name})
