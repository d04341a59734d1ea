"""The running part over a real store that fails: nobody goes untold because a disk is full."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.integration.test_webhook import Receiver
from tests.unit.storage.test_journal import SERVICE, Broken, result

from fks_master.alerts import store as rows
from fks_master.alerts.alerter import Alerter, Options
from fks_master.alerts.notify import Receiver as Told
from fks_master.alerts.routes import Route
from fks_master.alerts.store import Store
from fks_master.alerts.world import World
from fks_master.clock import SystemClock
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Outcome, Policy
from fks_master.storage import Journal
from fks_master.storage.sqlite import SQLite

PATIENCE = 20.0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SQLite]:
    one = SQLite(tmp_path / "fks.db", rows.MIGRATIONS)
    yield one
    await one.close()


class Running:
    """Hub, journal and alerter over one store, as the program joins them."""

    def __init__(self, database: Broken, url: str) -> None:
        self.clock = SystemClock()
        self.journal = Journal(database, self.clock)  # type: ignore[arg-type]
        self.hub = Hub([SERVICE], Policy(failure_threshold=2), Metrics(0.0), self.journal.record)
        options = Options((Told("ops", "webhook", url),), routes=(Route(("ops",)),))
        world = World(lambda: self.hub.services, lambda: self.hub.states)
        self.alerter = Alerter(options, world, Store(database), self.journal.follow, self.clock)  # type: ignore[arg-type]
        self.alerter.is_failing = lambda: self.journal.is_failing
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        remembered = await self.journal.restore()
        self.hub.restore(remembered)
        await self.alerter.restore(remembered.newest)
        self._tasks = [asyncio.create_task(self.journal.run()), asyncio.create_task(self.alerter.run())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.alerter.close()
        await self.journal.close()

    async def until(self, holds: object) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():  # type: ignore[operator]  # noqa: ASYNC110 - it makes no event
                await asyncio.sleep(0.01)


async def test_people_are_told_from_memory_while_the_store_fails_and_once(database: SQLite, receiver: Receiver) -> None:
    broken = Broken(database)
    broken.is_broken = False
    one = Running(broken, receiver.url)
    await one.start()
    broken.is_broken = True
    one.hub.ingest(result(Outcome.FAILURE, 0))
    one.hub.ingest(result(Outcome.FAILURE, 1))
    await one.until(lambda: receiver.events)
    assert receiver.events == [("ServiceDown", "api")]
    assert one.journal.is_failing
    assert one.alerter.from_memory > 0
    broken.is_broken = False
    await one.until(lambda: not one.journal.is_failing and not one.alerter._waiting)
    await one.stop()

    later = Running(broken, receiver.url)
    await later.start()
    assert list(later.alerter.pipeline.alerts) == ["ServiceDown:api"]
    later.hub.ingest(result(Outcome.SUCCESS, 2))
    await later.until(lambda: len(receiver.events) == 2)
    await later.stop()
    assert receiver.events == [("ServiceDown", "api"), ("ServiceUp", "api")]
    assert receiver.tries == 2


async def test_what_happened_while_we_were_away_is_read_by_number(database: SQLite, receiver: Receiver) -> None:
    broken = Broken(database)
    broken.is_broken = False
    first = Running(broken, receiver.url)
    await first.start()
    await first.stop()

    deaf = Running(broken, receiver.url)  # its journal writes, but nobody follows
    deaf.hub.restore(await deaf.journal.restore())
    deaf.hub.ingest(result(Outcome.FAILURE, 0))
    deaf.hub.ingest(result(Outcome.FAILURE, 1))
    await deaf.stop()

    last = Running(broken, receiver.url)
    await last.start()
    await last.until(lambda: receiver.events)
    await last.stop()
    assert receiver.events == [("ServiceDown", "api")]
