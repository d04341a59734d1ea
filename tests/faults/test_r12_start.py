import asyncio
from collections.abc import Callable
from typing import Any

from tests.servers import Recorder, listening

from fks_master.model import Outcome, Service

SERVICES = 1000
BATCH = 50


async def test_a_thousand_first_looks_stay_within_the_batch(watching: Callable[..., Any]) -> None:
    under_way = most = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        await Recorder().handle(reader, writer)

    async with listening(count, backlog=1000) as port:
        settings: Any = {"interval_seconds": 60, "timeout_seconds": 30, "tries": 1}
        services = [Service(str(number), "", f"http://127.0.0.1:{port}/", **settings) for number in range(SERVICES)]
        watch = watching(services, BATCH)
        await watch.until(lambda watch: len(watch.results) >= SERVICES)
        await watch.close()
    assert Outcome.FAILURE not in {result.outcome for _, result in watch.results}
    assert len({result.service_id for _, result in watch.results}) == SERVICES
    assert BATCH // 2 < most <= BATCH
