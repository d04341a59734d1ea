import asyncio
import statistics
from collections.abc import Callable
from typing import Any

from tests.servers import Recorder, listening, name_server

from fks_master.model import IpFamily, Outcome, Reason, Service

SERVFAIL = 2


async def test_dead_names_delay_nobody(watching: Callable[..., Any]) -> None:
    table: dict[str, list[str] | int | None] = {f"black{number}.test": None for number in range(20)}
    table |= {f"broken{number}.test": SERVFAIL for number in range(20)} | {"good.test": ["127.0.0.1"]}
    settings = {"interval_seconds": 0.5, "timeout_seconds": 1.0, "tries": 1, "ip_family": IpFamily.IPV4}
    async with name_server(table) as (_, address), listening(Recorder().handle) as port:
        services = [Service(name, name, f"http://{name}:{port}/", **settings) for name in table]  # type: ignore[arg-type]
        watch = watching([*services, Service("local", "", f"http://localhost:{port}/", **settings)], 100)  # type: ignore[arg-type]
        watch.prober._resolver._servers = (address,)
        await watch.until(lambda watch: len(watch.of("black0.test")) >= 3)
        delays = await asyncio.gather(*(delay() for _ in range(5)))
        await watch.close()
    for name in ("good.test", "local"):
        assert Outcome.FAILURE not in {result.outcome for result in watch.of(name)}
        assert len(watch.of(name)) >= 3
    assert {result.reason for result in watch.of("black0.test") + watch.of("broken0.test")} == {Reason.DNS}
    assert statistics.median(delays) < 0.1


async def delay() -> float:
    loop = asyncio.get_running_loop()
    before = loop.time()
    await asyncio.sleep(0)
    return loop.time() - before
