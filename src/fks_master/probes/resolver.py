"""Resolves names without ever holding up a thread: c-ares, which reads the hosts file and resolv.conf itself.

1. One query is in flight for a name and family; whoever asks meanwhile waits for the same answer.
2. Nobody waits longer than their own timeout; the query goes on for the others.
3. c-ares remembers answers for as long as their TTL says, which Docker sets to ten minutes: too long for a container
   that came back under another address. So a channel is used for a few seconds only, and then replaced.
"""

import asyncio
import ipaddress
import socket
from typing import Any

from fks_master.clock import Clock
from fks_master.model import IpFamily, Reason
from fks_master.probes.answer import Fault

CHANNEL_SECONDS = 5.0
QUERY_SECONDS = 2.0
QUERY_TRIES = 3
FAMILIES = {IpFamily.ANY: socket.AF_UNSPEC, IpFamily.IPV4: socket.AF_INET, IpFamily.IPV6: socket.AF_INET6}

Addresses = tuple[str, ...]


class Resolver:
    """Turns names into addresses, in the order in which they are to be tried."""

    def __init__(self, clock: Clock, servers: tuple[str, ...] = ()) -> None:
        self._clock = clock
        self._servers = servers
        self._channel: Any = None
        self._made_at = 0.0
        self._in_flight: dict[tuple[str, IpFamily], asyncio.Future[Addresses | Fault]] = {}

    async def resolve(self, name: str, family: IpFamily, seconds: float) -> Addresses | Fault:
        """Wait at most `seconds`. An address stands for itself."""
        if is_address(name):
            return (name,)
        query = self._in_flight.get((name, family)) or self._begin(name, family)
        try:
            return await asyncio.wait_for(asyncio.shield(query), max(0.0, seconds))
        except TimeoutError:
            return Fault(Reason.DNS, f"The name server did not answer for {name} within {seconds:.3g} s")

    def close(self) -> None:
        """Forget every query; nothing waits for a name server."""
        if self._channel is not None:
            self._channel.cancel()
            self._channel = None

    def _begin(self, name: str, family: IpFamily) -> asyncio.Future[Addresses | Fault]:
        loop = asyncio.get_running_loop()
        query: asyncio.Future[Addresses | Fault] = loop.create_future()
        self._in_flight[name, family] = query
        query.add_done_callback(lambda _: self._in_flight.pop((name, family), None))

        def answered(found: Any, error: int | None) -> None:  # noqa: ANN401 - pycares' own type
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, query, name, found, error)

        try:
            self._open_channel().getaddrinfo(
                name, None, family=FAMILIES[family], type=socket.SOCK_STREAM, callback=answered
            )
        except Exception as error:  # noqa: BLE001 - pycares raises several kinds for names that are none
            _settle_with(query, Fault(Reason.DNS, f"{name} is no name to look up: {error}"))
        return query

    def _open_channel(self) -> Any:  # noqa: ANN401 - pycares' own type
        now = self._clock.monotonic()
        if self._channel is None or now - self._made_at > CHANNEL_SECONDS:
            self._channel = open_channel(self._servers)
            self._made_at = now
        return self._channel


def open_channel(servers: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 - pycares' own type
    import pycares  # noqa: PLC0415 - 6 MB that nobody pays who watches addresses only

    return pycares.Channel(timeout=QUERY_SECONDS, tries=QUERY_TRIES, servers=servers or None)


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def explain(error: int) -> str:
    """Say what a code of c-ares means."""
    import pycares  # noqa: PLC0415 - as above

    text = pycares.errno.strerror(error)
    return str(text.decode() if isinstance(text, bytes) else text)


def _settle(query: asyncio.Future[Addresses | Fault], name: str, found: Any, error: int | None) -> None:  # noqa: ANN401
    if error is not None:
        _settle_with(query, Fault(Reason.DNS, f"{name} does not resolve: {explain(error)}"))
        return
    addresses = tuple(dict.fromkeys(_text(node.addr[0]) for node in found.nodes))
    _settle_with(query, addresses or Fault(Reason.DNS, f"{name} has no address"))


def _settle_with(query: asyncio.Future[Addresses | Fault], answer: Addresses | Fault) -> None:
    if not query.done():
        query.set_result(answer)


def _text(address: bytes | str) -> str:
    return address.decode() if isinstance(address, bytes) else address
