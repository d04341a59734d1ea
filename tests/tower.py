"""A monitor's memory, judge and alerts in this process, told results by hand; and receivers of many moods."""

import asyncio
import gc
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from fks_master.alerts.alerter import Alerter
from fks_master.app.telling import Telling
from fks_master.app.watching import Watching
from fks_master.background import Background
from fks_master.clock import SystemClock
from fks_master.config.load import load
from fks_master.hub import Hub
from fks_master.model import Outcome, Reason, Result
from fks_master.tracing import NoTracer

PATIENCE = 60.0


async def until(holds: Callable[[], object]) -> None:
    """Look again and again until something holds of which no event tells."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class Tower:
    """What stands between results and receivers."""

    def __init__(self, hub: Hub, alerter: Alerter) -> None:
        self.hub = hub
        self.alerter = alerter

    def fail(self, services: Iterable[str], reason: Reason = Reason.STATUS) -> None:
        for name in services:
            self.hub.ingest(Result(name, Outcome.FAILURE, SystemClock().now(), 0.01, reason, "HTTP 500"))

    def heal(self, services: Iterable[str]) -> None:
        for name in services:
            self.hub.ingest(Result(name, Outcome.SUCCESS, SystemClock().now(), 0.01))


@asynccontextmanager
async def tower(folder: Path, alerts: str, services: Iterable[str]) -> AsyncIterator[Tower]:
    """Build it as the program does, from a config; what is in `folder` is remembered from the one before."""
    path = folder / "monitor.toml"
    entries = [f'[[services]]\nid = "{name}"\nhealth_endpoint = "http://127.0.0.1:1/"\n' for name in services]
    history = f'[history]\nurl = "sqlite:{folder}/fks.db"\n'
    path.write_text(f"{history}[alerts]\nconsecutive_failures_threshold = 1\n{alerts}\n{''.join(entries)}")
    config = load(path, {})
    async with AsyncExitStack() as stack:
        watching = Watching(config, SystemClock(), NoTracer(), stack)
        remembered = await watching.restore()
        telling = await Telling.begin(config, watching, remembered, stack)
        background = await stack.enter_async_context(Background())
        background.start(watching.past.run(watching.hub.announce))
        for work in telling.work():
            background.start(work)
        gc.collect()
        gc.freeze()  # as the program does when it has started
        try:
            yield Tower(watching.hub, telling.alerter)
        finally:
            gc.unfreeze()


class Receiver:
    """Takes webhooks on a port that it keeps. `mode`: ok, late, 500, 429, 404, hang; while not `open` it refuses."""

    def __init__(self, mode: str = "ok") -> None:
        self.mode = mode
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/hook"
        self.bodies: list[dict[str, Any]] = []
        self.moments: list[float] = []
        self.tries = 0
        self._came = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, sock=self._socket)

    async def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        if self._server is not None:
            self._server.close()
        self._socket.close()
        await asyncio.sleep(0.01)  # for the handlers to see it

    @property
    def events(self) -> list[tuple[str, str, str | None]]:
        """What was told, in order: id, type, service; a repeat of an id is seen."""
        each = [one for body in self.bodies for one in body.get("events") or [body]]
        return [(one["id"], one["event_type"], one["service_id"]) for one in each]

    def of(self, service: str) -> list[str]:
        return [kind for _, kind, name in self.events if name == service]

    async def until(self, count: int, seconds: float = PATIENCE) -> None:
        """Wait until so many events have come."""
        async with asyncio.timeout(seconds):
            while len(self.events) < count:
                self._came.clear()
                await self._came.wait()

    async def until_tried(self, count: int = 1) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.tries < count:
                self._came.clear()
                await self._came.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
            body = await reader.readexactly(length)
            self.tries += 1
            self._came.set()
            if self.mode == "hang":
                await reader.read()
            else:
                await self._answer(writer, body)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._came.set()
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        statuses = {"500": "500 Internal", "429": "429 Slowly\r\nRetry-After: 1", "404": "404 Gone"}
        status = statuses.get(self.mode, "200 OK")
        if self.mode == "late":
            await asyncio.sleep(0.5)
        if self.mode in {"ok", "late"}:
            self.bodies.append(json.loads(body))
            self.moments.append(asyncio.get_running_loop().time())
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()


@asynccontextmanager
async def receivers(**modes: str) -> AsyncIterator[dict[str, Receiver]]:
    """Make receivers that behave as said; one that is "refuse" is not open yet."""
    made = {name: Receiver("ok" if mode == "refuse" else mode) for name, mode in modes.items()}
    try:
        for name, mode in modes.items():
            if mode != "refuse":
                await made[name].open()
        yield made
    finally:
        for one in made.values():
            await one.close()


def tables(made: dict[str, Receiver]) -> str:
    return "".join(f'[[alerts.receivers]]\nname = "{name}"\nurl = "{one.url}"\n' for name, one in made.items())
