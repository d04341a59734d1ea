"""R6: name servers that are silent, slow or broken for twenty names each."""

import asyncio
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from tests.servers import Recorder, listening, name_server

from fks_master.model import IpFamily, Outcome, Reason, Service

SERVFAIL = 2
INTERVAL = 1.0
LATE = 2.5  # closing a handle with a silent name in it took 9 seconds
ROUNDS = 4
FIRST = 2  # until then the slots are busy with learning who lets us wait


async def test_dead_slow_and_broken_names_delay_nobody(watching: Callable[..., Any]) -> None:
    table: dict[str, list[str] | int | None] = {f"black{number}.test": None for number in range(20)}
    table |= {f"broken{number}.test": SERVFAIL for number in range(20)}
    table |= {f"slow{number}.test": ["127.0.0.1"] for number in range(20)} | {"good.test": ["127.0.0.1"]}
    settings: Any = {"interval_seconds": INTERVAL, "timeout_seconds": 1.5, "tries": 1, "ip_family": IpFamily.IPV4}
    async with name_server(table) as (server, address), listening(Recorder().handle, backlog=1000) as port:
        server.delays = {f"slow{number}.test": 0.3 for number in range(20)}
        services = [Service(name, name, f"http://{name}:{port}/", **settings) for name in table]
        others = ("localhost", "127.0.0.1")
        services += [Service(name, name, f"http://{name}:{port}/", **settings) for name in others]
        watch = watching(services, 20)
        watch.prober._resolver._servers = (address,)
        lags: list[float] = []
        sampling = asyncio.create_task(sample(lags))
        await watch.until(lambda watch: all(len(watch.of(name)) > ROUNDS for name in ("black0.test", *others)))
        sampling.cancel()
        await watch.close()
    for name in ("good.test", "slow0.test", *others):
        assert {result.outcome for result in watch.of(name)} == {Outcome.SUCCESS}, name
    for name in others:
        gaps = [later - earlier for earlier, later in pairwise(watch.moments(name)[FIRST:])]
        assert max(gaps) < INTERVAL + LATE, name
    assert {result.reason for result in watch.of("black0.test") + watch.of("broken0.test")} == {Reason.DNS}
    assert len(lags) > 50
    assert statistics.quantiles(lags, n=20)[-1] < 0.5


async def sample(lags: list[float]) -> None:
    """Note again and again by how much the loop is late."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.02)
        lags.append(time.monotonic() - before - 0.02)
