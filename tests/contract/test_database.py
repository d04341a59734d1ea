"""Both stores keep the same promises, each against its real server."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from tests.postgres import Cluster, cluster

from fks_master.clock import SystemClock
from fks_master.errors import SchemaError, StatementRefusedError, StoreOccupiedError, StoreUnavailableError
from fks_master.history import MIGRATIONS
from fks_master.history.archive import Wanted
from fks_master.history.keeper import Retention
from fks_master.history.past import Past
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Outcome, Policy, Reason, Result, Service
from fks_master.storage import Database, Migration, Query
from fks_master.storage.address import database_at
from fks_master.storage.database import to_ms
from fks_master.storage.postgres import Postgres

NOTES = (Migration("notes", 1, "CREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL, packed {blob});\n"),)
ADD = Query.parse("add", "INSERT INTO notes (id, text, packed) VALUES (:id, :text, :packed)")
ALL = Query.parse("all", "SELECT id, text, packed FROM notes WHERE id >= :first ORDER BY id")
SERVICE = Service("api", "Api", "http://127.0.0.1:1/h")


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as one:
        yield one


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'fks.db'}"
    server: Cluster = request.getfixturevalue("server")
    cleaner = Postgres(server.url)
    wipe = Query.parse("wipe", "DROP SCHEMA public CASCADE")
    await cleaner.execute(wipe(), Query.parse("make", "CREATE SCHEMA public")())
    await cleaner.close()
    return server.url


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    one = database_at(url, [*MIGRATIONS, *NOTES])
    await one.open()
    yield one
    await one.close()


async def test_what_is_written_is_read_whichever_way_the_rows_were_given(database: Database) -> None:
    await database.execute(ADD(id=1, text="ü", packed=b"\0\1"), ADD.many([(2, "b", b""), (3, "c", b"\xff")]))
    rows = await database.fetch(ALL, first=1)
    assert [(row["id"], row["text"], bytes(row["packed"])) for row in rows] == [
        (1, "ü", b"\0\1"), (2, "b", b""), (3, "c", b"\xff"),
    ]  # fmt: skip
    number, text, _ = rows[1]
    assert (number, text) == (2, "b")


async def test_a_refused_statement_takes_its_call_along_and_no_other(database: Database) -> None:
    good = database.execute(ADD(id=1, text="a", packed=b""))
    bad = database.execute(ADD(id=2, text="b", packed=b""), ADD(id=2, text="again", packed=b""))
    done = await asyncio.gather(good, bad, return_exceptions=True)
    assert done[0] is None
    assert isinstance(done[1], StatementRefusedError)
    assert [row["id"] for row in await database.fetch(ALL, first=0)] == [1]


async def test_a_second_instance_waits_until_the_first_is_gone(database: Database, url: str) -> None:
    second = database_at(url, [*MIGRATIONS, *NOTES])
    with pytest.raises(StoreOccupiedError):
        await second.open()
    await database.close()
    await second.open()
    await second.close()


async def test_a_newer_schema_is_refused(database: Database, url: str) -> None:
    mark = Query.parse("mark", "UPDATE schema_migrations SET number = 99 WHERE part = 'notes'")
    await database.execute(mark())
    await database.close()
    older = database_at(url, [*MIGRATIONS, *NOTES])
    with pytest.raises(SchemaError, match="newer"):
        await older.open()
    await older.close()


async def test_the_whole_past_is_kept_and_read(database: Database) -> None:
    clock = SystemClock()
    past = Past(database, lambda: hub.services, clock, Retention())
    hub = Hub([SERVICE], Policy(failure_threshold=2), Metrics(0.0), past.journal.record)
    hub.restore(await past.restore(hub.services))
    start = datetime.now(UTC) - timedelta(minutes=10)
    for number in range(20):
        outcome = Outcome.FAILURE if 5 <= number < 9 else Outcome.SUCCESS
        reason = Reason.REFUSED if outcome is Outcome.FAILURE else None
        hub.ingest(Result("api", outcome, start + timedelta(seconds=30 * number), 0.01, reason, "refused"))
    await past.journal.close()
    await past.keeper.turn()
    await past.keeper.prune_others()
    [incident], _ = await past.archive.incidents(Wanted(service_id="api", state="closed"))
    found = await past.archive.incident(incident.id)
    assert found is not None
    assert found.evidence
    await past.archive.acknowledge(incident.id, "ann")
    events, _ = await past.archive.events(Wanted(event_type="ServiceDown"))
    assert len(events) == 1
    now = datetime.now(UTC)
    assert (await past.measures.latency("api", start, now)).count == 20
    assert sum(point.latency.count for point in (await past.measures.series("api", start, now)).points) == 20
    assert (await past.measures.fleet(start, now)).keys() <= {"api"}
    past.planned.active = lambda _: {"api"}
    past.planned.look()
    await past.journal.close()
    assert set(await past.planned.of(None, to_ms(start), to_ms(now) + 60_000)) == {"api"}
    assert len((await past.measures.recent(50, start)).services["api"]) == 20
    assert len(await past.measures.days("api", 3, now)) == 3
    again = Past(database, lambda: hub.services, clock, Retention())
    restored = await again.restore(hub.services)
    assert restored.states["api"].last == hub.states["api"].last
    assert restored.newest == events[0].id + 2


async def test_postgresql_that_dies_comes_back_without_a_restart(server: Cluster) -> None:
    database = Postgres(server.url, NOTES, deadline_seconds=5)
    await database.open()
    await database.fetch(ALL, first=0)
    server.stop()
    with pytest.raises(StoreUnavailableError):
        await database.execute(ADD(id=10, text="a", packed=b""))
    with pytest.raises(StoreUnavailableError):
        await database.fetch(ALL, first=0)
    server.start()
    await database.execute(ADD(id=10, text="a", packed=b""))
    assert [row["id"] for row in await database.fetch(ALL, first=10)] == [10]
    await database.close()


async def test_a_connection_that_the_network_swallowed_does_not_keep_the_lock(server: Cluster) -> None:
    database, other = Postgres(server.url, NOTES), Postgres(server.url, NOTES)
    await database.open()
    swallowed, database._writer = database._writer, None  # the server knows nothing of its end
    with pytest.raises(StoreOccupiedError):
        await other.open()
    await database.open()
    assert swallowed is not None
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await swallowed.execute("SELECT 1")
    with pytest.raises(StoreOccupiedError):
        await other.open()
    await other.close()
    await database.close()


async def test_a_black_hole_ends_with_the_deadline() -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    port = silent.getsockname()[1]
    database = Postgres(f"postgresql://x@127.0.0.1:{port}/x", deadline_seconds=0.2)
    async with asyncio.timeout(20):
        with pytest.raises(StoreUnavailableError):
            await database.execute(ADD(id=1, text="a", packed=b""))
        with pytest.raises(StoreUnavailableError):
            await database.fetch(ALL, first=0)
    silent.close()
    await database.close()
