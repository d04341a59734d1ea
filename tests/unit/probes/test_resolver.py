import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.servers import NameServer, Recorder, listening, name_server, service

from fks_master.clock import SystemClock
from fks_master.model import IpFamily, Outcome, Reason
from fks_master.probes.answer import Fault
from fks_master.probes.prober import Prober
from fks_master.probes.resolver import Resolver

SERVFAIL = 2


@pytest.fixture
async def names() -> AsyncIterator[tuple[NameServer, Resolver]]:
    table = {"app.test": ["127.0.0.1", "127.0.0.2"], "broken.test": SERVFAIL, "silent.test": None}
    async with name_server(table) as (server, address):
        resolver = Resolver(SystemClock(), (address,))
        yield server, resolver
        resolver.close()


async def test_a_name_becomes_its_addresses(names: tuple[NameServer, Resolver]) -> None:
    found = await names[1].resolve("app.test", IpFamily.ANY, 5)
    assert isinstance(found, tuple)
    assert sorted(found) == ["127.0.0.1", "127.0.0.2"]


async def test_the_hosts_file_is_read(names: tuple[NameServer, Resolver]) -> None:
    assert await names[1].resolve("localhost", IpFamily.IPV4, 5) == ("127.0.0.1",)
    assert names[0].asked == []


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "fe80::1%eth0"])
async def test_an_address_stands_for_itself(names: tuple[NameServer, Resolver], address: str) -> None:
    assert await names[1].resolve(address, IpFamily.ANY, 5) == (address,)
    assert names[0].asked == []


@pytest.mark.parametrize("name", ["broken.test", "unknown.test", "-.bad..name", "x" * 300])
async def test_what_does_not_resolve_is_a_fault(names: tuple[NameServer, Resolver], name: str) -> None:
    found = await names[1].resolve(name, IpFamily.IPV4, 20)
    assert isinstance(found, Fault)
    assert found.reason is Reason.DNS


async def test_silence_ends_at_the_askers_timeout_and_leaves_others_alone(names: tuple[NameServer, Resolver]) -> None:
    silent = asyncio.create_task(names[1].resolve("silent.test", IpFamily.IPV4, 0.3))
    assert isinstance(await names[1].resolve("app.test", IpFamily.IPV4, 5), tuple)
    assert not silent.done()
    assert isinstance(await silent, Fault)


async def test_one_query_is_in_flight_for_a_name(names: tuple[NameServer, Resolver]) -> None:
    await asyncio.gather(*(names[1].resolve("app.test", IpFamily.IPV4, 5) for _ in range(50)))
    assert names[0].asked == [("app.test", 1)]


async def test_checks_connect_to_what_the_name_server_says(names: tuple[NameServer, Resolver], prober: Prober) -> None:
    prober._resolver._servers = names[1]._servers
    server = Recorder()
    async with listening(server.handle) as port:
        result = await prober.probe(service(f"http://app.test:{port}/", ip_family=IpFamily.IPV4))
        unknown = await prober.probe(service(f"http://unknown.test:{port}/"))
        tcp = await prober.probe(service(f"tcp://app.test:{port}", ip_family=IpFamily.IPV4))
    assert (result.outcome, result.remote) == (Outcome.SUCCESS, "127.0.0.1")
    assert f"Host: app.test:{port}".encode() in server.requests[0]
    assert result.phases.dns > 0
    assert unknown.reason is Reason.DNS
    assert unknown.message is not None
    assert unknown.message.startswith("unknown.test does not resolve")
    assert tcp.outcome is Outcome.SUCCESS
