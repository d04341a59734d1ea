"""DNS probes: ask for records, of the system's name servers or of a given one, and compare the answers.

`dns://name` asks the system's name servers, `dns://server/name` or `dns://server:port/name` that server (RFC 4501).
"""

import asyncio
from typing import Any
from urllib.parse import unquote, urlsplit

from fks_master.clock import Clock
from fks_master.model import Outcome, Phases, Reason, RecordType, Result, Service
from fks_master.probes.answer import Fault, as_short_text
from fks_master.probes.resolver import Resolver, explain, open_channel

MOST_TOLD = 20

# Which fields of each kind of record make up its text, in the order of zone files.
FIELDS = {
    RecordType.A: ("addr",),
    RecordType.AAAA: ("addr",),
    RecordType.CAA: ("critical", "tag", "value"),
    RecordType.CNAME: ("cname",),
    RecordType.MX: ("priority", "exchange"),
    RecordType.NS: ("nsdname",),
    RecordType.PTR: ("dname",),
    RecordType.SOA: ("mname", "rname", "serial", "refresh", "retry", "expire", "minimum"),
    RecordType.SRV: ("priority", "weight", "port", "target"),
    RecordType.TXT: ("data",),
}


class DnsProbe:
    """Asks with a channel of its own every time, so that no answer comes from memory."""

    def __init__(self, resolver: Resolver, clock: Clock) -> None:
        self._resolver = resolver
        self._clock = clock

    async def probe(self, service: Service) -> Result:
        began = self._clock.monotonic()
        try:
            async with asyncio.timeout(service.timeout_seconds):
                fault = await self._ask(service)
        except TimeoutError:
            fault = Fault(Reason.TIMEOUT, f"No answer within {service.timeout_seconds:g} s")
        seconds = self._clock.monotonic() - began
        outcome = Outcome.FAILURE if fault else Outcome.SUCCESS
        reason, message = (fault.reason, fault.message) if fault else (None, None)
        return Result(service.id, outcome, self._clock.now(), seconds, reason, message, phases=Phases(dns=seconds))

    async def _ask(self, service: Service) -> Fault | None:
        name, servers = split(service.health_endpoint)
        if servers:
            found = await self._resolver.resolve(servers[0], service.ip_family, service.timeout_seconds)
            if isinstance(found, Fault):
                return found
            servers = tuple(_with_port(address, servers[1]) for address in found)
        record = service.dns.record
        answers = await query(servers, name, record)
        if isinstance(answers, Fault):
            return answers
        if not answers:
            return Fault(Reason.DNS, f"{name} has no {record} record")
        missing = [wanted for wanted in service.dns.expected if _plain(wanted) not in map(_plain, answers)]
        return Fault(Reason.BODY, f"Found {_in_short(answers)}, expected {_in_short(missing)}") if missing else None


def split(endpoint: str) -> tuple[str, tuple[str, ...]]:
    """Give the name that is asked for, and the host and port of the server if one is given."""
    parts = urlsplit(endpoint)
    name = unquote(parts.path.strip("/"))
    if not name:
        return parts.hostname or "", ()
    return name, (parts.hostname, str(parts.port or 53)) if parts.hostname else ()


def _in_short(texts: list[str]) -> str:
    return as_short_text(", ".join(texts[:MOST_TOLD]))


def _with_port(address: str, port: str) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


async def query(servers: tuple[str, ...], name: str, record: RecordType) -> list[str] | Fault:
    """Ask for records and write each as a zone file would, without the dot at the end of names."""
    import pycares  # noqa: PLC0415 - 6 MB that nobody pays who checks no DNS

    loop = asyncio.get_running_loop()
    answered: asyncio.Future[tuple[Any, int | None]] = loop.create_future()

    def answer(found: Any, error: int | None) -> None:  # noqa: ANN401 - pycares' own type
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, answered, (found, error))

    kind = getattr(pycares, f"QUERY_TYPE_{record}")
    channel = open_channel(servers)
    try:
        channel.query(name, kind, callback=answer)
        found, error = await answered
    except pycares.AresError as wrong:
        return Fault(Reason.DNS, f"{name} is no name to look up: {wrong}")
    finally:
        channel.cancel()
    if error is not None:
        return Fault(Reason.DNS, f"{name} does not resolve: {explain(error)}")
    return [_as_text(one.data, record) for one in found.answer if one.type == kind]


def _settle(answered: asyncio.Future[tuple[Any, int | None]], answer: tuple[Any, int | None]) -> None:
    if not answered.done():
        answered.set_result(answer)


def _as_text(data: Any, record: RecordType) -> str:  # noqa: ANN401 - pycares' own types
    return " ".join(_word(getattr(data, field)) for field in FIELDS[record])


def _word(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value).removesuffix(".")


def _plain(text: str) -> str:
    return text.strip().removesuffix(".").lower()
