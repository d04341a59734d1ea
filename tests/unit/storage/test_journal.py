import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fks_master.clock import SystemClock
from fks_master.errors import SchemaError, StoreOccupiedError, StoreUnavailableError
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Change, Event, EventType, Outcome, Policy, Reason, Result, Service, Status
from fks_master.storage import Journal, Migration, Query, Row, Statement, care
from fks_master.storage.journal import FOLLOW_COUNT
from fks_master.storage.sqlite import SQLite

SERVICE = Service("api", "Api", "http://127.0.0.1:1/health")
START = datetime(2026, 1, 1, tzinfo=UTC)


def result(outcome: Outcome, number: int = 0) -> Result:
    reason = Reason.REFUSED if outcome is Outcome.FAILURE else None
    return Result("api", outcome, START + timedelta(seconds=number), 0.01, reason)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SQLite]:
    one = SQLite(tmp_path / "data" / "fks.db")
    yield one
    await one.close()


async def started(database: SQLite) -> tuple[Hub, Journal]:
    journal = Journal(database, SystemClock())
    hub = Hub([SERVICE], Policy(failure_threshold=2), Metrics(0.0), journal.record)
    hub.restore(await journal.restore())
    return hub, journal


async def test_state_and_numbers_go_on_after_a_restart_without_any_event(database: SQLite) -> None:
    hub, journal = await started(database)
    for number in range(3):
        hub.ingest(result(Outcome.FAILURE, number))
    await journal.close()
    before = hub.states["api"]
    events = await journal.follow(0)

    hub, journal = await started(database)
    state = hub.states["api"]
    assert (state.status, state.failures, state.is_down) == (Status.UNHEALTHY, 3, True)
    assert (state.failing_since, state.last) == (before.failing_since, before.last)
    assert not state.is_confirmed
    hub.ingest(result(Outcome.FAILURE, 3))
    assert hub.states["api"].is_confirmed
    await journal.close()
    assert await journal.follow(0) == events
    hub.ingest(result(Outcome.SUCCESS, 4))
    await journal.flush()
    later = await journal.follow(events[-1].id)
    assert [event.event_type for event in later] == [EventType.STATUS_CHANGED, EventType.SERVICE_UP]
    assert later[0].id == events[-1].id + 1


async def test_a_follower_is_woken_by_the_running_journal(database: SQLite) -> None:
    hub, journal = await started(database)
    running = asyncio.create_task(journal.run())
    following = asyncio.create_task(journal.follow(0))
    hub.announce(Event(EventType.SYSTEM_ALERT, "look", START))
    events = await following
    running.cancel()
    assert [event.message for event in events] == ["look"]


class Broken:
    """A database that fails while told to."""

    def __init__(self, database: SQLite) -> None:
        self._database = database
        self.is_broken = True

    async def open(self) -> None:
        await self._database.open()

    async def execute(self, *statements: Statement) -> None:
        if self.is_broken:
            raise StoreUnavailableError("the disk is gone")
        await self._database.execute(*statements)

    async def relieve(self, *statements: Statement) -> None:
        await self.execute(*statements)

    async def fetch(self, query: Query, **values: object) -> Sequence[Row]:
        if self.is_broken:
            raise StoreUnavailableError("the disk is gone")
        return await self._database.fetch(query, **values)

    def take_set_aside(self) -> None: ...

    async def close(self) -> None:
        await self._database.close()


async def test_events_are_followed_from_memory_while_the_store_fails_and_stored_after(database: SQLite) -> None:
    broken = Broken(database)
    hub, journal = await started(broken)  # type: ignore[arg-type]
    hub.ingest(result(Outcome.SUCCESS))
    hub.ingest(result(Outcome.FAILURE, 1))
    await journal.flush()
    assert journal.is_failing
    told = await journal.follow(0)
    assert len(told) == 2
    broken.is_broken = False
    await journal.close()
    assert not journal.is_failing
    _, after = await started(database)
    assert await after.follow(0) == told


class Contributing:
    """Adds one good or bad statement to each urgent change."""

    def __init__(self, query: Query) -> None:
        self._query = query

    def record(self, change: Change) -> Sequence[Statement]:
        return [self._query(id=change.events[0].id)] if change.events else []

    def drain(self) -> Sequence[Statement]:
        return []

    def give_back(self) -> None: ...


class Chatting(Contributing):
    """Adds a statement to what brings no event."""

    def record(self, change: Change) -> Sequence[Statement]:
        return [] if change.events else [self._query(id=change.result.at.second if change.result else 0)]


async def test_an_event_is_read_though_what_is_written_behind_it_has_none(tmp_path: Path) -> None:
    notes = Migration("notes", 1, "CREATE TABLE notes (id BIGINT PRIMARY KEY);\n")
    database = SQLite(tmp_path / "fks.db", [notes])
    hub, journal = await started(database)
    journal.join(Chatting(Query.parse("note", "INSERT INTO notes (id) VALUES (:id)")))
    hub.ingest(result(Outcome.SUCCESS))
    hub.ingest(result(Outcome.SUCCESS, 1))
    await journal.flush()
    assert [event.event_type for event in await journal.follow(0)] == [EventType.STATUS_CHANGED]
    await database.close()


async def test_a_follower_that_lags_misses_nothing_when_the_store_goes_away(database: SQLite) -> None:
    broken = Broken(database)
    broken.is_broken = False
    hub, journal = await started(broken)  # type: ignore[arg-type]
    for number in range(3 * FOLLOW_COUNT):
        hub.announce(Event(EventType.SYSTEM_ALERT, str(number), START))
    await journal.flush()
    broken.is_broken = True
    hub.announce(Event(EventType.SYSTEM_ALERT, "while it is away", START))
    await journal.flush()
    seen = [0]
    while seen[-1] <= 3 * FOLLOW_COUNT:
        seen += [event.id for event in await journal.follow(seen[-1])]
    assert seen == list(range(3 * FOLLOW_COUNT + 2))


async def test_a_refused_entry_is_lost_alone_and_counted(tmp_path: Path) -> None:
    notes = Migration("notes", 1, "CREATE TABLE notes (id BIGINT PRIMARY KEY, CHECK (id <> 2));\n")
    database = SQLite(tmp_path / "fks.db", [notes])
    hub, journal = await started(database)
    journal.join(Contributing(Query.parse("note", "INSERT INTO notes (id) VALUES (:id)")))
    for number in range(3):
        hub.announce(Event(EventType.SYSTEM_ALERT, str(number), START))
    await journal.flush()
    assert journal.lost == 1
    assert [event.id for event in await journal.follow(0)] == [1, 2, 3]  # whoever alerts hears of it all the same
    _, later = await started(database)
    assert [event.id for event in await later.follow(0)] == [1, 3]
    await database.close()


async def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    two = [Migration("part", number, f"CREATE TABLE t{number} (id BIGINT);\n") for number in (1, 2)]
    newer = SQLite(tmp_path / "fks.db", two)
    await newer.open()
    await newer.close()
    older = SQLite(tmp_path / "fks.db", two[:1])
    with pytest.raises(SchemaError, match="newer FKS Master"):
        await older.open()
    await older.close()


async def test_file_and_folder_are_private(database: SQLite) -> None:
    await database.open()
    assert database.path is not None
    await database.execute(Query.parse("x", "DELETE FROM states")())
    modes = {each.name: each.stat().st_mode & 0o777 for each in [database.path.parent, *database.path.parent.iterdir()]}
    assert modes.pop("data") == 0o700
    assert set(modes.values()) == {0o600}


async def test_a_corrupt_file_is_set_aside_and_a_fresh_one_takes_its_place(database: SQLite) -> None:
    assert database.path is not None
    database.path.parent.mkdir()
    database.path.write_bytes(b"this is no database, " * 500)
    hub, journal = await started(database)
    aside = database.take_set_aside()
    assert aside is not None
    assert aside.read_bytes().startswith(b"this is no database")
    assert database.take_set_aside() is None
    hub.announce(Event(EventType.SYSTEM_ALERT, "look", START))
    await journal.flush()
    assert len(await journal.follow(0)) == 1


async def test_what_a_reader_finds_corrupt_is_set_aside_too(database: SQLite) -> None:
    hub, journal = await started(database)
    for number in range(200):
        hub.announce(Event(EventType.SYSTEM_ALERT, f"{number} " + "x" * 500, START))
    await journal.close()
    await database.close()
    assert database.path is not None
    body = bytearray(database.path.read_bytes())
    body[20 * 4096 : 30 * 4096] = b"\xff" * 10 * 4096
    database.path.write_bytes(bytes(body))
    again = SQLite(database.path)
    await again.open()
    events = Query.parse("all", "SELECT SUM(LENGTH(body)) AS size FROM events")
    with pytest.raises(StoreUnavailableError):
        await again.fetch(events)
    await again.execute(Query.parse("x", "DELETE FROM states")())
    assert again.take_set_aside() is not None
    assert (await again.fetch(events))[0]["size"] is None
    await again.close()


async def test_an_event_of_a_newer_version_is_passed_over(database: SQLite) -> None:
    hub, journal = await started(database)
    hub.announce(Event(EventType.SYSTEM_ALERT, "one", START))
    hub.announce(Event(EventType.SYSTEM_ALERT, "two", START))
    await journal.close()
    change = "UPDATE events SET body = REPLACE(body, 'SystemAlert', 'FromTheFuture') WHERE id = 1"
    await database.execute(Query.parse("change", change)())
    _, later = await started(database)
    assert [event.message for event in await later.follow(0)] == ["two"]


async def test_a_service_that_is_no_longer_watched_is_forgotten(database: SQLite) -> None:
    hub, journal = await started(database)
    hub.ingest(result(Outcome.FAILURE))
    hub.ingest(result(Outcome.FAILURE, 1))
    await journal.tick()
    hub.ingest(result(Outcome.FAILURE, 2))
    assert hub.states["api"].is_down
    hub.announce(Event(EventType.CONFIG_RELOADED, "reloaded", START, data={"removed": ["api"]}))
    hub.reconfigure([], Policy())
    await journal.close()
    hub, _ = await started(database)
    assert not hub.states["api"].is_down


async def test_a_second_instance_is_refused_until_the_first_is_gone(database: SQLite) -> None:
    await database.open()
    second = SQLite(database.path)
    with pytest.raises(StoreOccupiedError):
        await second.open()
    await database.close()
    await second.open()
    await second.close()


async def test_a_backup_is_sound_and_can_be_restored(database: SQLite, tmp_path: Path) -> None:
    hub, journal = await started(database)
    hub.announce(Event(EventType.SYSTEM_ALERT, "look", START))
    await journal.flush()
    assert database.path is not None
    care.backup(database.path, tmp_path / "saved.db")
    await database.close()
    assert care.check(tmp_path / "saved.db") == []
    database.path.write_bytes(b"broken" * 1000)
    assert care.check(database.path) != []
    assert care.restore(tmp_path / "saved.db", database.path) is not None
    assert care.check(database.path) == []
    assert any(b'"look' in line or b"look" in line for line in care.export(database.path))


async def test_memory_is_shared_by_writer_and_readers() -> None:
    database = SQLite(None)
    hub, journal = await started(database)
    hub.announce(Event(EventType.SYSTEM_ALERT, "look", START))
    await journal.flush()
    assert len(await journal.follow(0)) == 1
    await database.close()
