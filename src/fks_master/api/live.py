"""The live feed: `/ws`.

A client gets everything at once, then full updates every five seconds and each event as it happens. One that sends
`subscribe_changes` gets what checks change of a service instead of full updates, and each event once. A client that
does not read for ten seconds is dropped; it slows nobody.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from fks_master.api.commands import Commands
from fks_master.api.doors import RECHECK_SECONDS
from fks_master.api.endpoint import Access
from fks_master.api.messages import Messages
from fks_master.api.view import View
from fks_master.events.bus import Subscription
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Change, Event

UPDATE_SECONDS = 5.0
SEND_SECONDS = 10.0
MAX_CLIENTS = 1000
COMMANDS_PER_SECOND = 20
AUTHENTICATE_SECONDS = 5.0
MOST_LONG_COMMANDS = 8

encode = msgspec.json.encode


class Filters(msgspec.Struct, frozen=True):
    """Which events a client wants; an empty tuple means all."""

    service_id: str | None = None
    event_types: tuple[str, ...] = ()

    def wants(self, event: Event) -> bool:
        if self.service_id is not None and event.service_id != self.service_id:
            return False
        return not self.event_types or event.event_type in self.event_types


class Command(msgspec.Struct, frozen=True):
    """What a client may send."""

    command_type: str
    service_id: str | None = None
    event_types: tuple[str, ...] | None = None
    token: str | None = None


class Client:
    """One connection."""

    def __init__(
        self, socket: WebSocket, view: View, messages: Messages, subscription: Subscription[Change], commands: Commands
    ) -> None:
        self._socket = socket
        self._view = view
        self._messages = messages
        self._remote = commands
        self._long: set[asyncio.Task[None]] = set()
        self._broken = asyncio.Event()
        self._subscription = subscription
        self._filters = Filters()
        self._wants_changes = False
        self._changed: set[str] = set()  # since the last snapshot, and not told
        self._known = view.watched  # of which a snapshot told; others are new to the client
        self._commands: dict[str, Callable[[Command], dict[str, Any]]] = {
            "subscribe_events": self._subscribe_events,
            "clear_subscription": self._clear_subscription,
            "subscribe_changes": self._subscribe_changes,
            "get_service_details": self._get_service_details,
        }

    async def run(self, ending: asyncio.Event) -> None:
        await self._send(self._initial())
        tasks = [
            asyncio.create_task(one())
            for one in (
                self._read,
                self._push_changes,
                self._push_updates,
                self._broken.wait,
                ending.wait,
                self._leave_in_time,
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            every = [*tasks, *self._long]
            for one in every:
                one.cancel()
            await asyncio.gather(*every, return_exceptions=True)

    async def _send(self, text: str) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await self._socket.send_text(text)

    def _initial(self) -> str:
        self._known = self._view.watched
        self._changed.clear()
        return self._messages.initial()

    async def _push_updates(self) -> None:
        while True:
            await self._view.clock.sleep(UPDATE_SECONDS)
            if not self._wants_changes:
                await self._send(self._messages.update())

    async def _push_changes(self) -> None:
        while True:
            changes = await self._subscription.take_all()
            self._changed.update(change.state.service_id for change in changes if change.state)
            if self._subscription.must_resync or (self._wants_changes and self._view.watched is not self._known):
                self._subscription.must_resync = False
                await self._send(self._initial())
            elif self._wants_changes:
                await self._tell_changes()
            await self._tell(event for change in changes for event in change.events)

    async def _tell_changes(self) -> None:
        while self._changed:
            if text := self._messages.change(self._changed.pop()):
                await self._send(text)

    async def _tell(self, events: Iterable[Event]) -> None:
        """Send the events that the client wants, while it may see any."""
        for event in events:
            if self._filters.wants(event) and self._may_see_events():
                await self._send(self._messages.event(event, is_flat=not self._wants_changes))

    async def _leave_in_time(self) -> None:
        """Close the connection once its client may not even read any more."""
        while self._remote.still_admits(self._socket, Access.PUBLIC):
            await self._view.clock.sleep(RECHECK_SECONDS)
        await self._socket.close(1008, "unauthorized")

    def _may_see_events(self) -> bool:
        """Events need the right to read once a credential is configured; asked anew, so that a revoked one ends it."""
        caller = self._remote.caller_of(self._socket)
        return caller is not None and caller.may(Access.READ)

    async def _read(self) -> None:
        window, count = self._view.clock.monotonic(), 0
        while True:
            text = await receive(self._socket)
            now = self._view.clock.monotonic()
            if now - window > 1:
                window, count = now, 0
            count += 1
            answer: dict[str, Any] | None = {"type": "error", "reason": "too many commands"}
            if count <= COMMANDS_PER_SECOND:
                answer = self._answer(text)
            if answer is not None:
                await self._send(encode(answer).decode())
            if self._wants_changes:
                await self._tell_changes()  # what happened between the snapshot and the wish

    def _answer(self, text: str) -> dict[str, Any] | None:
        """Answer a command; one that takes its time answers by itself."""
        try:
            command = msgspec.json.decode(text, type=Command)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
            return {"type": "error", "reason": f"not a command: {error}"}
        if command.command_type in self._remote.table:
            return self._begin(msgspec.json.decode(text))
        answer = self._commands.get(command.command_type)
        if answer is None:
            known = ", ".join(sorted([*self._commands, *self._remote.table]))
            return {"type": "error", "reason": f"unknown command_type; known are {known}"}
        return answer(command)

    def _begin(self, fields: dict[str, Any]) -> dict[str, Any] | None:
        if len(self._long) >= MOST_LONG_COMMANDS:
            return {"type": "error", "reason": f"{MOST_LONG_COMMANDS} commands of this client run already"}

        async def send(message: object) -> None:
            await self._send(encode(message).decode())

        task = asyncio.create_task(self._remote.run(self._socket, fields, send))
        self._long.add(task)
        task.add_done_callback(self._end)
        return None

    def _end(self, task: asyncio.Task[None]) -> None:
        self._long.discard(task)
        if not task.cancelled() and task.exception():
            self._broken.set()

    def _subscribe_events(self, command: Command) -> dict[str, Any]:
        self._filters = Filters(command.service_id, command.event_types or ())
        return {"type": "subscription_confirmed", "filters": self._filters, "message": "Only these events follow"}

    def _clear_subscription(self, _: Command) -> dict[str, Any]:
        self._filters = Filters()
        return {"type": "subscription_cleared"}

    def _subscribe_changes(self, _: Command) -> dict[str, Any]:
        self._wants_changes = True
        return {"type": "subscription_confirmed", "filters": self._filters, "message": "Changes follow one by one"}

    def _get_service_details(self, command: Command) -> dict[str, Any]:
        if command.service_id is None:
            return {"type": "error", "reason": "service_id: expected a text"}
        health = self._view.health(command.service_id)
        if health is None:
            return {"type": "error", "reason": f"no service {command.service_id[:100]!r} is watched"}
        return {"type": "service_details", "service_id": command.service_id, "health": health}


async def receive(socket: WebSocket) -> str:
    """Return the next message; one in bytes is meant as text, too. Raises WebSocketDisconnect."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"], message.get("reason"))
    text = message.get("text")
    return text if isinstance(text, str) else bytes(message["bytes"]).decode("utf-8", "replace")


class LiveFeed:
    """The endpoint of `/ws`."""

    def __init__(self, hub: Hub, view: View, metrics: Metrics, commands: Commands) -> None:
        self._commands = commands
        self._ending = asyncio.Event()
        self._hub = hub
        self._view = view
        self._messages = Messages(view)
        self._metrics = metrics

    def end(self) -> None:
        """Close every connection with 1001, going away: a page then waits for us to come back."""
        self._ending.set()

    async def __call__(self, socket: WebSocket) -> None:
        if self._metrics.websocket_connections >= MAX_CLIENTS:
            await socket.accept()  # only then can a client read why
            await socket.close(1013, "too many clients")
            return
        self._metrics.websocket_connections += 1
        try:
            with self._hub.bus.subscribe() as subscription:
                await socket.accept()
                is_let_in = await self._is_let_in(socket)
                if is_let_in:
                    client = Client(socket, self._view, self._messages, subscription, self._commands)
                    await client.run(self._ending)
        except (WebSocketDisconnect, TimeoutError):
            pass
        else:
            if self._ending.is_set():
                await socket.close(1001, "the monitor ends")
            elif not is_let_in:
                await socket.close(1008, "unauthorized")
        finally:
            self._metrics.websocket_connections -= 1

    async def _is_let_in(self, socket: WebSocket) -> bool:
        """Where reading is closed, wait for a credential: a browser cannot send one in the handshake."""
        doorkeeper = self._commands.doors.doorkeeper
        caller = self._commands.caller_of(socket)
        if doorkeeper.authority.public_read or (caller is not None and caller.may(Access.READ)):
            return True
        with suppress(msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            command = msgspec.json.decode(await self._first_message(socket), type=Command)

            async def send(message: object) -> None:
                await socket.send_text(encode(message).decode())

            if command.command_type == "authenticate":
                fields = {"command_type": "authenticate", "token": command.token}
                await self._commands.run(socket, fields, send)
        return "credential" in socket.scope["state"]

    async def _first_message(self, socket: WebSocket) -> str:
        """Give it time, but not without end; empty when none came."""
        waiting = [asyncio.create_task(receive(socket)), asyncio.create_task(self._wait_for_the_end())]
        done, late = await asyncio.wait(waiting, timeout=AUTHENTICATE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return done.pop().result() if done else ""

    async def _wait_for_the_end(self) -> str:
        await self._ending.wait()
        return ""
