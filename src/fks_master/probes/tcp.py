"""TCP probes: connect, and if so configured send something and wait for the expected answer."""

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from fks_master.clock import Clock
from fks_master.model import Outcome, Phases, Reason, Result, Service
from fks_master.model.grammar import parse_regex
from fks_master.probes.answer import BODY_LIMIT, Fault, as_short_text, decode
from fks_master.probes.resolver import Resolver

CHUNK = 4096
ANSWER_LIMIT = 16 * 1024
MOST_SEARCHED = 64 * ANSWER_LIMIT  # bytes, in all: who sends one at a time makes nobody search for ever
REASONS = {
    errno.ECONNREFUSED: Fault(Reason.REFUSED, "Connection refused"),
    errno.ECONNRESET: Fault(Reason.RESET, "The connection was reset"),
    errno.EPIPE: Fault(Reason.RESET, "The connection was closed before all was sent"),
    errno.ETIMEDOUT: Fault(Reason.TIMEOUT, "Nobody answers at this address"),
}


class TcpProbe:
    """Connects to one server at a time or thousands at once, on the event loop."""

    def __init__(self, resolver: Resolver, clock: Clock) -> None:
        self._resolver = resolver
        self._clock = clock

    async def probe(self, service: Service) -> Result:
        attempt = _Attempt(service, self._clock)
        try:
            async with asyncio.timeout(service.timeout_seconds):
                fault = await attempt.make(self._resolver)
        except TimeoutError:
            fault = Fault(Reason.TIMEOUT, f"No answer within {service.timeout_seconds:g} s")
        return attempt.result(fault)


class _Attempt:
    """One try, with the moments at which its phases ended."""

    def __init__(self, service: Service, clock: Clock) -> None:
        self._service = service
        self._clock = clock
        parts = urlsplit(service.health_endpoint)
        self._host, self._port = parts.hostname or "", parts.port or 0
        self._began = clock.monotonic()
        self._phases: dict[str, float] = {}
        self._remote: str | None = None

    async def make(self, resolver: Resolver) -> Fault | None:
        with _Stopwatch(self._phases, "dns", self._clock):
            found = await resolver.resolve(self._host, self._service.ip_family, self._service.timeout_seconds)
        if isinstance(found, Fault):
            return found
        try:
            async with self._connected(found) as (reader, writer):
                return await self._converse(reader, writer)
        except OSError as error:
            return REASONS.get(error.errno or 0) or Fault(Reason.UNREACHABLE, error.strerror or str(error))

    @asynccontextmanager
    async def _connected(
        self, addresses: tuple[str, ...]
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        with _Stopwatch(self._phases, "connect", self._clock):
            reader, writer = await self._connect(addresses)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def _connect(self, addresses: tuple[str, ...]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Try one address after the other; each but the last gets its share of the time."""
        left = self._service.timeout_seconds - (self._clock.monotonic() - self._began)
        for address in addresses[:-1]:
            try:
                async with asyncio.timeout(left / len(addresses)):
                    return await self._open(address)
            except OSError:  # a TimeoutError too
                continue
        return await self._open(addresses[-1])

    async def _open(self, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self._remote = address
        return await asyncio.open_connection(address, self._port, limit=BODY_LIMIT)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Fault | None:
        options = self._service.tcp
        if options.send is not None:
            writer.write(options.send.encode())
            await writer.drain()
        if options.expect is None:
            return None
        with _Stopwatch(self._phases, "first_byte", self._clock):
            return await self._await_answer(reader, options.expect)

    @staticmethod
    async def _await_answer(reader: asyncio.StreamReader, expected: str) -> Fault | None:
        found, searched = bytearray(), 0
        while len(found) < ANSWER_LIMIT and searched < MOST_SEARCHED:
            chunk = await reader.read(CHUNK)
            found += chunk
            searched += len(found)
            if parse_regex(expected).is_in(decode(bytes(found))):
                return None
            if not chunk:
                break
        said = as_short_text(decode(bytes(found[:CHUNK])), 80)
        return Fault(Reason.BODY, f'The answer "{said}" does not match "{expected}"')

    def result(self, fault: Fault | None) -> Result:
        return Result(
            self._service.id,
            Outcome.FAILURE if fault else Outcome.SUCCESS,
            self._clock.now(),
            self._clock.monotonic() - self._began,
            fault.reason if fault else None,
            fault.message if fault else None,
            phases=Phases(**self._phases),
            remote=self._remote,
        )


class _Stopwatch:
    """Writes down how long its block took, whatever came of it."""

    def __init__(self, phases: dict[str, float], name: str, clock: Clock) -> None:
        self._phases = phases
        self._name = name
        self._clock = clock

    def __enter__(self) -> None:
        self._began = self._clock.monotonic()

    def __exit__(self, *_: object) -> None:
        self._phases[self._name] = self._clock.monotonic() - self._began
