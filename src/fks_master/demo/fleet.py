"""The servers of the simulated stack, on loopback.

A small fleet has a port a service, as real ones have, so that one can refuse connections. A large one (`shared`)
spreads over a few ports and tells its services apart by path: `/ID/health`.
"""

import asyncio
import socket
import struct
import time
from collections.abc import Iterable
from typing import cast

from fks_master.demo.behaviours import ANSWERS, SLOW_SECONDS, Behaviour

SHARED_PORTS = 16
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: send RST instead of FIN


class Connection(asyncio.Protocol):
    """One client; HTTP/1.1, keep-alive, requests without a body."""

    def __init__(self, fleet: "Fleet", owner: str | None) -> None:
        self._fleet = fleet
        self._owner = owner
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._fleet.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._fleet.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            path = bytes(self._received[: end + 2]).split(b" ", 2)[1]
            del self._received[: end + 4]
            self._respond(self._owner or path.decode("latin-1").strip("/").partition("/")[0])

    def _respond(self, service_id: str) -> None:
        behaviour = self._fleet.behaviour(service_id)
        self._fleet.requests += 1
        if behaviour is Behaviour.RESET:
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._transport.abort()
        elif behaviour is Behaviour.SLOW:
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self._write, behaviour)
        elif behaviour in ANSWERS:
            self._write(behaviour)

    def _write(self, behaviour: Behaviour) -> None:
        if not self._transport.is_closing():
            self._transport.write(ANSWERS[behaviour](time.time()))

    def close(self) -> None:
        self._transport.abort()


class Fleet:
    """Starts with every service well; `behave` makes one misbehave."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self.requests = 0
        self._behaviours: dict[str, Behaviour] = {}
        self._ports: dict[str, int] = {}
        self._servers: dict[int, asyncio.Server] = {}
        self._kept: dict[int, socket.socket] = {}  # ports of ours at which nobody listens for now

    def behaviour(self, service_id: str) -> Behaviour:
        return self._behaviours.get(service_id, Behaviour.OK)

    async def start(self, service_ids: Iterable[str], *, shared: bool = False) -> None:
        names = list(service_ids)
        if shared:
            ports = [await self._listen(None, 0) for _ in range(min(SHARED_PORTS, len(names)))]
            self._ports = {name: ports[number % len(ports)] for number, name in enumerate(names)}
        else:
            self._ports = {name: await self._listen(name, 0) for name in names}

    def address(self, service_id: str) -> str:
        return f"http://127.0.0.1:{self._ports[service_id]}/{service_id}/health"

    async def behave(self, service_id: str, behaviour: Behaviour) -> None:
        """Change how a service behaves. REFUSE closes its port, so it needs a fleet that is not shared."""
        port = self._ports[service_id]
        self._behaviours[service_id] = behaviour
        if behaviour is Behaviour.REFUSE and port in self._servers:
            self._servers.pop(port).close()
            self._kept[port] = _bound(port)
        elif behaviour is not Behaviour.REFUSE and port not in self._servers:
            self._kept.pop(port).close()
            await self._listen(service_id, port)

    async def close(self) -> None:
        for server in self._servers.values():
            server.close()
        for connection in list(self.connections):
            connection.close()
        for kept in self._kept.values():
            kept.close()

    async def _listen(self, owner: str | None, port: int) -> int:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(self, owner), "127.0.0.1", port, backlog=4096)
        found: int = server.sockets[0].getsockname()[1]
        self._servers[found] = server
        return found


def _bound(port: int) -> socket.socket:
    """Keep a port from everybody else without listening at it: connections are refused."""
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", port))
    return kept
