"""R20: every Nth call of the database fails, once and for ever: no alert is lost, and what is stored is sound."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.faults.oracle import Collector, assert_sound, serving
from tests.faults.victim import PERIOD, SERVICE, WatchedAlerter, result, until_told

from fks_master.alerts import store as alert_store
from fks_master.alerts.alerter import Options
from fks_master.alerts.notify import Receiver
from fks_master.alerts.routes import Route
from fks_master.alerts.store import Store
from fks_master.alerts.world import World
from fks_master.clock import SystemClock
from fks_master.errors import StoreUnavailableError
from fks_master.history import MIGRATIONS
from fks_master.history.keeper import Retention
from fks_master.history.past import Past
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Policy
from fks_master.storage import Query, Row, Statement
from fks_master.storage.sqlite import SQLite

END = 2 * PERIOD
TOLD = ["ServiceDown", "ServiceUp"] * (END // PERIOD)


class Failing:
    """Refuses the Nth call, and where it is for ever each one after it."""

    def __init__(self, database: SQLite, nth: int, *, for_ever: bool) -> None:
        self._database = database
        self._nth = nth
        self._for_ever = for_ever
        self.calls = 0

    def _count(self) -> None:
        self.calls += 1
        if self.calls == self._nth or (self._for_ever and self.calls > self._nth):
            raise StoreUnavailableError("told to fail")

    async def open(self) -> None:
        self._count()
        await self._database.open()

    async def execute(self, *statements: Statement) -> None:
        self._count()
        await self._database.execute(*statements)

    async def relieve(self, *statements: Statement) -> None:
        await self.execute(*statements)

    async def fetch(self, query: Query, **values: object) -> Sequence[Row]:
        self._count()
        return await self._database.fetch(query, **values)

    def take_set_aside(self) -> Path | None:
        return self._database.take_set_aside()

    async def close(self) -> None:
        await self._database.close()


async def play(path: Path, nth: int, hook: str, *, for_ever: bool) -> Failing:
    """Let the ledger happen: after each result all that was to be told has been told."""
    clock, policy = SystemClock(), Policy(failure_threshold=2)
    database = Failing(SQLite(path, (*MIGRATIONS, *alert_store.MIGRATIONS)), nth, for_ever=for_ever)
    past = Past(database, lambda: hub.services, clock, Retention())
    hub = Hub([SERVICE], policy, Metrics(0.0), past.journal.record)
    remembered = await past.restore(hub.services)
    hub.restore(remembered)
    world = World(lambda: hub.services, lambda: hub.states)
    options = Options((Receiver("hook", "webhook", hook),), routes=(Route(("hook",)),), policy=policy)
    alerter = WatchedAlerter(options, world, Store(database), past.journal.follow, clock)
    await alerter.restore(remembered.newest)
    running = asyncio.gather(past.run(hub.announce), alerter.run())
    for number in range(END):
        hub.ingest(result(number))
        await past.journal.flush()
        await until_told(alerter, past)
        assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await alerter.close()
    await past.close()
    return database


@pytest.mark.parametrize("for_ever", [False, True])
@pytest.mark.parametrize("first", range(1, 61, 12))
async def test_no_alert_is_lost(tmp_path: Path, first: int, *, for_ever: bool) -> None:
    for nth in range(first, first + 12, 3 if for_ever else 1):
        collector, path = Collector(), tmp_path / f"{nth}" / "fks.db"
        with serving(collector.handler()) as hook:
            async with asyncio.timeout(30):
                database = await play(path, nth, hook, for_ever=for_ever)
        assert [one.kind for one in collector.distinct] == TOLD, nth
        assert len(collector.told) == len(TOLD), nth
        if path.exists():
            assert_sound(path)
        if database.calls < nth:
            return
