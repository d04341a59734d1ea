"""What is still true is told to the fresh store that takes the place of a corrupt one."""

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fks_master.clock import SystemClock
from fks_master.history import MIGRATIONS
from fks_master.history.keeper import Retention
from fks_master.history.past import Past
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Event, EventType, Outcome, Policy, Reason, Result, Service
from fks_master.storage.sqlite import SQLite

SERVICES = [Service(name, name, "http://127.0.0.1:1/h") for name in ("a", "b")]


def make(path: Path) -> tuple[Past, Hub, SQLite]:
    database = SQLite(path, MIGRATIONS)
    past = Past(database, lambda: hub.services, SystemClock(), Retention())
    hub = Hub(SERVICES, Policy(failure_threshold=1), Metrics(0.0), past.journal.record)
    return past, hub, database


async def test_names_and_open_incidents_move_to_the_fresh_store(tmp_path: Path) -> None:
    past, hub, database = make(tmp_path / "fks.db")
    hub.restore(await past.restore(hub.services))
    start = datetime.now(UTC) - timedelta(minutes=5)
    for second, name in enumerate(("b", "a")):
        at = start + timedelta(seconds=second)
        hub.ingest(Result(name, Outcome.FAILURE, at, reason=Reason.REFUSED, message="refused"))
        await past.journal.tick()
    opened = {name: one.id for name, one in past.book.open.items()}
    assert database.path is not None
    database._begin_afresh(database.path, sqlite3.DatabaseError("malformed"))
    told: asyncio.Queue[Event] = asyncio.Queue()
    running = asyncio.create_task(past.run(told.put_nowait))
    event = await told.get()
    assert event.event_type is EventType.SYSTEM_ALERT
    hub.announce(event)
    hub.ingest(Result("a", Outcome.FAILURE, start + timedelta(seconds=30), reason=Reason.REFUSED, message="refused"))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await past.close()

    past, hub, _ = make(tmp_path / "fks.db")
    remembered = await past.restore(hub.services)
    assert {name: one.id for name, one in past.book.open.items()} == opened
    assert past.recorder.numbers["a"] == 2
    assert remembered.newest > 4
    latency = await past.measures.latency("a", start, datetime.now(UTC))
    assert (latency.count, latency.failures) == (1, 1)
    await past.close()
