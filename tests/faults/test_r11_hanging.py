import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from tests.servers import Recorder, listening

from fks_master.clock import SystemClock
from fks_master.model import Outcome, Reason, Service
from fks_master.scheduler import loop

INTERVAL = 3.0
LATE = 2.5  # a round that waits for those that hang takes 24 seconds


@pytest.mark.parametrize("batch_size", [100, 5])
async def test_hanging_targets_make_nobody_late(
    watching: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, batch_size: int
) -> None:
    """The seed's defaults (5 slots, 3 tries of 10 s every 30 s, a second's patience), ten times as fast."""
    for name in ("SILENT_SECONDS", "KNOWN_SILENT_SECONDS", "SWEEP_SECONDS"):
        monkeypatch.setattr(loop, name, getattr(loop, name) / 10)

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    settings: Any = {"interval_seconds": INTERVAL, "timeout_seconds": 1.0, "tries": 3}
    good = [f"good{number}" for number in range(10)]
    async with listening(hang, backlog=1000) as silent, listening(Recorder().handle) as port:
        services = [Service(f"bad{number}", "", f"http://127.0.0.1:{silent}/", **settings) for number in range(40)]
        services += [Service(one, "", f"http://127.0.0.1:{port}/", **settings) for one in good]
        watch = watching(services, batch_size)
        await watch.until(lambda watch: all(len(watch.of(one)) >= 5 for one in good))
        await watch.close()
    for one in good:
        assert Outcome.FAILURE not in {result.outcome for result in watch.of(one)}
        gaps = [later - earlier for earlier, later in pairwise(watch.moments(one)[1:])]
        assert max(gaps) < INTERVAL + LATE
    assert {result.reason for _, result in watch.results} == {None, Reason.TIMEOUT}


async def test_a_poisoned_check_and_a_poisoned_result_harm_no_other() -> None:
    results = []
    done = asyncio.Event()

    async def probe(service: Service) -> Any:
        if service.id == "poisoned":
            raise RuntimeError(service.id)
        return loop.Result(service.id, Outcome.SUCCESS, clock.now())

    def sink(result: Any) -> None:
        results.append(result)
        if [one.service_id for one in results].count("poisoned") >= 3:
            done.set()
        raise RuntimeError

    clock = SystemClock()
    scheduler = loop.Scheduler(probe, sink, clock, 1)
    names = ("poisoned", "good")
    scheduler.watch([Service(name, name, "http://x/", interval_seconds=0.1, tries=1) for name in names])
    running = asyncio.create_task(scheduler.run())
    async with asyncio.timeout(20):
        await done.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert {one.reason for one in results if one.service_id == "poisoned"} == {loop.Reason.INTERNAL}
    assert len([one for one in results if one.service_id == "good"]) >= 2
