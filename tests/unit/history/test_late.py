"""A store that is away when the monitor begins and comes back later: what it knew is taken up, and is no news."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fks_master.alerts import store as alert_store
from fks_master.alerts.alerter import Alerter, Options
from fks_master.alerts.routes import Route
from fks_master.alerts.store import Store
from fks_master.alerts.world import World
from fks_master.clock import SystemClock
from fks_master.errors import StoreUnavailableError
from fks_master.history import MIGRATIONS
from fks_master.history.archive import Incident, Wanted
from fks_master.history.keeper import Retention
from fks_master.history.past import Past
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Outcome, Policy, Reason, Result, Service, Status
from fks_master.storage import Query, Row, Statement
from fks_master.storage.sqlite import SQLite

SERVICE = Service("api", "Api", "http://127.0.0.1:1/h", timeout_seconds=1.0, tries=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
G, B = Outcome.SUCCESS, Outcome.FAILURE
DOWN, UP = "ServiceDown", "ServiceUp"


class Remote:
    """A store that can be out of reach."""

    def __init__(self, path: Path, *, is_away: bool) -> None:
        self._database = SQLite(path, (*MIGRATIONS, *alert_store.MIGRATIONS))
        self.is_away = is_away

    def _reach(self) -> SQLite:
        if self.is_away:
            raise StoreUnavailableError("away")
        return self._database

    async def open(self) -> None:
        await self._reach().open()

    async def execute(self, *statements: Statement) -> None:
        await self._reach().execute(*statements)

    async def relieve(self, *statements: Statement) -> None:
        await self._reach().relieve(*statements)

    async def fetch(self, query: Query, **values: object) -> Sequence[Row]:
        return await self._reach().fetch(query, **values)

    def take_set_aside(self) -> None: ...

    async def close(self) -> None:
        await self._database.close()


class Life:
    """One run of what remembers and tells."""

    def __init__(self, path: Path, *, is_away: bool) -> None:
        clock = SystemClock()
        self.store: Any = Remote(path, is_away=is_away)
        self.past = Past(self.store, lambda: self.hub.services, clock, Retention())
        self.hub = Hub([SERVICE], Policy(failure_threshold=2), Metrics(0.0), self.past.journal.record)
        self.past.states, self.past.correct = lambda: self.hub.states, self.hub.correct
        world = World(lambda: self.hub.services, lambda: self.hub.states)
        options = Options(routes=(Route(("nobody",)),), policy=Policy(failure_threshold=2))
        self.alerter = Alerter(options, world, Store(self.store), self.past.journal.follow, clock)
        self.alerter.is_failing = lambda: self.past.journal.is_failing

    async def begin(self) -> None:
        await self.past.may_lead()
        remembered = await self.past.restore(self.hub.services)
        self.hub.restore(remembered)
        await self.alerter.restore(remembered.newest, is_known=remembered.is_known)
        self.past.read_late.append(self.alerter.read_late)

    async def play(self, outcomes: Sequence[Outcome], begin: int) -> None:
        for number, outcome in enumerate(outcomes, begin):
            reason = Reason.REFUSED if outcome is B else None
            self.hub.ingest(Result("api", outcome, at(number), 0.01, reason, reason and "refused"))
            await self.past.journal.flush()

    async def listen(self, *, is_impatient: bool = False) -> None:
        """Let the alerter hear all that can be read."""
        if is_impatient:
            self.alerter.pipeline.world.waiting_until = None
        alerter, journal = self.alerter, self.past.journal
        while alerter._cursor < journal._newest_readable:
            await alerter._take(await journal.follow(alerter._cursor), datetime.now(UTC))
        await alerter._tick(datetime.now(UTC))

    async def come_back(self) -> None:
        self.store.is_away = False
        await self.past.journal.tick()

    async def end(self) -> None:
        await self.past.close()

    async def incidents(self) -> list[Incident]:
        found, _ = await self.past.archive.incidents(Wanted())
        return found[::-1]

    async def told(self) -> list[str]:
        return [one.notice.event_type for one in await self.alerter.deliveries(100)][::-1]

    async def events(self) -> list[str]:
        found, _ = await self.past.archive.events(Wanted())
        return [one.event_type.value for one in found][::-1]


def at(number: int) -> datetime:
    return START + timedelta(seconds=30 * number)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fks.db"


async def before(path: Path, *outcomes: Outcome, is_heard: bool = True) -> None:
    """Let an earlier process see this, and end."""
    life = Life(path, is_away=False)
    await life.begin()
    await life.listen()
    await life.play(outcomes, 0)
    if is_heard:
        await life.listen()
    await life.end()


@asynccontextmanager
async def later(path: Path) -> AsyncIterator[Life]:
    """Begin while the store is away."""
    life = Life(path, is_away=True)
    await life.begin()
    yield life
    await life.end()


async def test_what_was_down_and_still_is_goes_on_and_is_not_told_again(path: Path) -> None:
    await before(path, G, B, B)
    async with later(path) as life:
        await life.play([B, B, B], 10)
        await life.listen()
        await life.come_back()
        await life.listen()
        assert await life.told() == [DOWN]
        assert life.hub.states["api"].failing_since == at(1)
        assert await life.events() == ["StatusChanged", "StatusChanged", DOWN]
        [incident] = await life.incidents()
        assert (incident.started_at, incident.ended_at) == (at(1), None)
        await life.play([G], 20)
        await life.listen()
        assert await life.told() == [DOWN, UP]
        [incident] = await life.incidents()
        assert incident.ended_at == at(20)
        found = await life.past.archive.incident(incident.id)
        assert found is not None
        assert len({one.kind for one in found.evidence}) == len(found.evidence) == 2
        assert [each.kind for each in found.timeline].count("ServiceUp") == 1


async def test_what_was_down_and_is_up_was_up_since_it_was_seen_so(path: Path) -> None:
    await before(path, G, B, B)
    async with later(path) as life:
        await life.play([G, G], 10)
        await life.listen()
        await life.come_back()
        await life.play([G], 12)
        await life.listen()
        assert await life.told() == [DOWN, UP]
        [incident] = await life.incidents()
        assert incident.ended_at == at(10)
        assert life.alerter.pipeline.alerts == {}


async def test_what_was_not_seen_yet_is_as_it_was(path: Path) -> None:
    await before(path, G, B, B)
    async with later(path) as life:
        await life.come_back()
        state = life.hub.states["api"]
        assert (state.status, state.is_down, state.is_confirmed) == (Status.UNHEALTHY, True, False)
        await life.play([B], 10)
        await life.play([G], 11)
        await life.listen()
        assert await life.told() == [DOWN, UP]
        assert [each.ended_at for each in await life.incidents()] == [at(11)]


async def test_a_restart_of_what_is_well_makes_no_event(path: Path) -> None:
    await before(path, G, G)
    async with later(path) as life:
        await life.play([G, G], 10)
        await life.come_back()
        await life.listen()
        assert await life.events() == ["StatusChanged"]
        assert await life.told() == []
        assert life.hub.states["api"].up_since == at(0)


async def test_what_goes_down_meanwhile_is_told_soon_and_once(path: Path) -> None:
    await before(path, G, G)
    async with later(path) as life:
        await life.play([G, B, B], 10)
        await life.listen(is_impatient=True)
        assert list(life.alerter.outbox._orphans)
        await life.come_back()
        await life.listen()
        assert await life.told() == [DOWN]
        assert [(each.started_at, each.ended_at) for each in await life.incidents()] == [(at(11), None)]


async def test_what_came_up_while_the_store_was_away_is_over(path: Path) -> None:
    await before(path, G, B, B)
    async with later(path) as life:
        await life.play([B, B, G], 10)
        await life.listen(is_impatient=True)
        await life.come_back()
        await life.play([G], 13)
        await life.listen()
        assert (await life.told())[-2:] == [DOWN, UP]
        assert len(await life.told()) <= 3
        assert life.alerter.pipeline.alerts == {}
        assert [(each.started_at, each.ended_at) for each in await life.incidents()] == [(at(1), at(12))]


async def test_what_was_up_in_between_are_two_incidents(path: Path) -> None:
    await before(path, G, B, B)
    async with later(path) as life:
        await life.play([G, B, B], 10)
        await life.come_back()
        await life.listen()
        ends = [(each.started_at, each.ended_at) for each in await life.incidents()]
        assert ends == [(at(1), at(10)), (at(11), None)]
        assert await life.told() == [DOWN]


async def test_what_failed_again_before_it_was_said_to_be_up_goes_on(path: Path) -> None:
    await before(path, G, B, B)
    async with later(path) as life:
        await life.play([G], 10)
        await life.come_back()
        await life.play([B, B, G], 11)
        await life.listen()
        assert await life.told() == [DOWN, UP]
        assert [(each.started_at, each.ended_at) for each in await life.incidents()] == [(at(1), at(13))]


async def test_what_an_earlier_process_did_not_come_to_tell_is_told(path: Path) -> None:
    await before(path, G, B, B, is_heard=False)
    async with later(path) as life:
        await life.play([B], 10)
        await life.come_back()
        await life.listen()
        assert await life.told() == [DOWN]


async def test_what_is_no_longer_watched_is_forgotten_at_the_start(path: Path) -> None:
    await before(path, G, B, B)
    without = Life(path, is_away=False)
    await without.past.restore([])
    await without.end()
    again = Life(path, is_away=False)
    await again.begin()
    assert again.hub.states["api"].status is Status.UNKNOWN
    await again.end()


async def test_a_fresh_store_is_told_what_people_know(path: Path) -> None:
    life = Life(path, is_away=False)
    life.past.afresh.append(life.alerter.begin_afresh)
    await life.begin()
    await life.listen()
    await life.play([G, B, B], 0)
    await life.listen()
    file = life.store._database
    file._begin_afresh(path, sqlite3.DatabaseError("malformed"))
    await life.past._begin_afresh()
    await life.past.journal.tick()
    await life.alerter._tick(datetime.now(UTC))
    await life.end()
    again = Life(path, is_away=False)
    await again.begin()
    assert again.hub.states["api"].is_down
    assert list(again.alerter.pipeline.alerts) == ["ServiceDown:api"]
    assert list(again.past.book.open) == ["api"]
    await again.end()


async def test_nothing_is_written_over_what_is_not_known(path: Path) -> None:
    await before(path, G, B, B)
    async with later(path) as life:
        await life.play([G], 10)
        await life.listen()
        assert life.past.journal.waiting == 1
        assert life.past.journal.is_failing
    again = Life(path, is_away=False)
    await again.begin()
    assert again.hub.states["api"].is_down
    assert list(again.alerter.pipeline.alerts) == ["ServiceDown:api"]
    await again.end()
