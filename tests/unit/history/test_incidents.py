import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from fks_master.clock import SystemClock
from fks_master.errors import NoDockerError
from fks_master.history import MIGRATIONS, incidents
from fks_master.history.archive import Archive, Wanted
from fks_master.history.incidents import IncidentBook
from fks_master.history.postmortem import postmortem
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Event, EventType, Outcome, Policy, Reason, Result, Service
from fks_master.storage import Journal
from fks_master.storage.sqlite import SQLite

SERVICE = Service("api", "Api", "http://127.0.0.1:1/health")
START = datetime(2026, 1, 1, tzinfo=UTC)


def result(outcome: Outcome, number: int, message: str = "refused") -> Result:
    at = START + timedelta(seconds=number)
    if outcome is Outcome.SUCCESS:
        return Result("api", outcome, at, 0.01, status_code=200)
    return Result("api", outcome, at, 0.01, Reason.REFUSED, message)


class World:
    """Hub, journal and book on one database."""

    def __init__(self, database: SQLite) -> None:
        clock = SystemClock()
        self.journal = Journal(database, clock)
        self.book = IncidentBook(database, clock)
        self.journal.join(self.book)
        self.archive = Archive(database, self.book, clock)
        self.hub = Hub([SERVICE], Policy(failure_threshold=2), Metrics(0.0), self.journal.record)

    async def start(self) -> "World":
        self.hub.restore(await self.journal.restore())
        await self.book.restore(self.hub.services)
        return self

    async def play(self, *outcomes: Outcome, begin: int = 0) -> None:
        for number, outcome in enumerate(outcomes, begin):
            self.hub.ingest(result(outcome, number))
        await self.journal.flush()


@pytest.fixture
async def database() -> AsyncIterator[SQLite]:
    one = SQLite(None, MIGRATIONS)
    await one.open()
    yield one
    await one.close()


GOOD, BAD = Outcome.SUCCESS, Outcome.FAILURE


async def test_an_incident_begins_at_the_first_failure_and_ends_when_up(database: SQLite) -> None:
    world = await World(database).start()
    await world.play(GOOD, BAD, BAD, BAD)
    [incident], following = await world.archive.incidents(Wanted())
    assert (incident.started_at, incident.ended_at) == (START + timedelta(seconds=1), None)
    assert (incident.cause, following) == ("refused", None)
    await world.play(GOOD, begin=4)
    found = await world.archive.incident(incident.id)
    assert found is not None
    assert found.ended_at == START + timedelta(seconds=4)
    kinds = [entry.kind for entry in found.timeline]
    assert kinds == ["result", "result", "ServiceDown", "result", "StatusChanged", "ServiceUp"]
    assert {one.kind for one in found.evidence} == {"failure", "last_good"}


async def test_one_failure_below_the_threshold_is_no_incident(database: SQLite) -> None:
    world = await World(database).start()
    await world.play(GOOD, BAD, GOOD, BAD, GOOD)
    assert await world.archive.incidents(Wanted()) == ([], None)


async def test_an_open_incident_goes_on_after_a_restart(database: SQLite) -> None:
    world = await World(database).start()
    await world.play(BAD, BAD)
    await world.journal.close()
    [before], _ = await world.archive.incidents(Wanted(state="open"))
    world = await World(database).start()
    await world.play(BAD, BAD, begin=2)
    [after], _ = await world.archive.incidents(Wanted(state="open"))
    assert after == before
    await world.play(GOOD, begin=4)
    assert await world.archive.incidents(Wanted(state="open")) == ([], None)
    assert len((await world.archive.incidents(Wanted(state="closed")))[0]) == 1


async def test_an_incident_ends_with_the_watching(database: SQLite) -> None:
    world = await World(database).start()
    await world.play(BAD, BAD)
    world.hub.announce(Event(EventType.CONFIG_RELOADED, "reloaded", START, data={"removed": ["api"]}))
    await world.journal.flush()
    [incident], _ = await world.archive.incidents(Wanted())
    assert incident.ended_at == START


async def test_evidence_from_outside_is_collected_once_and_a_broken_collector_harms_nobody(database: SQLite) -> None:
    world = await World(database).start()
    collected = asyncio.Event()

    async def container(service_id: str) -> dict[str, object]:
        collected.set()
        return {"exit_code": 137, "service": service_id}

    async def broken(_: str) -> dict[str, object]:
        raise OSError("no Docker")

    world.book.collectors = {"broken": broken, "container": container}
    await world.play(BAD, BAD)
    running = asyncio.create_task(world.book.run())
    await collected.wait()
    [incident], _ = await world.archive.incidents(Wanted())
    while not world.book.collected:  # noqa: ASYNC110 - two turns of the loop
        await asyncio.sleep(0)
    running.cancel()
    found = await world.archive.incident(incident.id)
    assert found is not None
    assert {one.kind: one.data for one in found.evidence}["container"] == {"exit_code": 137, "service": "api"}


async def test_evidence_that_cannot_be_had_yet_is_tried_again(
    database: SQLite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incidents, "COLLECT_AGAIN_SECONDS", 0.01)
    world = await World(database).start()
    tries = 0
    collected = asyncio.Event()

    async def container(_: str) -> dict[str, object]:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise NoDockerError("Docker is not connected yet")
        collected.set()
        return {"exit_code": 1}

    world.book.collectors = {"container": container}
    await world.play(BAD, BAD)
    running = asyncio.create_task(world.book.run())
    await collected.wait()
    while world.book.collected < 3:  # noqa: ASYNC110 - two turns of the loop
        await asyncio.sleep(0)
    running.cancel()
    [incident], _ = await world.archive.incidents(Wanted())
    found = await world.archive.incident(incident.id)
    assert found is not None
    assert {one.kind: one.data for one in found.evidence}["container"] == {"exit_code": 1}


async def test_how_the_container_died_is_evidence_and_who_was_told_stands_in_the_timeline(database: SQLite) -> None:
    world = await World(database).start()
    died = {"exit_code": 137, "oom_killed": True}
    world.hub.announce(Event(EventType.CONTAINER_DIED, "died", START, "api", died))
    await world.play(BAD, BAD, GOOD)
    told = world.book.notified("api", START + timedelta(seconds=9), "hook: sent", {"id": "4"})
    await database.execute(*told)
    assert world.book.notified("other", START, "hook: sent", {}) == []
    [incident], _ = await world.archive.incidents(Wanted())
    found = await world.archive.incident(incident.id)
    assert found is not None
    [evidence] = [one.data for one in found.evidence if one.kind == "died"]
    assert isinstance(evidence, dict)
    assert died.items() <= evidence.items()
    assert found.timeline[-1].kind == "notification"


async def test_a_timeline_has_an_end(database: SQLite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incidents, "MOST_LINES", 10)
    world = await World(database).start()
    await world.play(BAD, BAD)
    for number in range(20):
        world.hub.announce(Event(EventType.CONTAINER_STARTED, str(number), START, "api"))
    await world.journal.flush()
    world = await World(database).start()
    world.hub.announce(Event(EventType.CONTAINER_STARTED, "after a restart", START, "api"))
    await world.play(GOOD, begin=30)
    [incident], _ = await world.archive.incidents(Wanted())
    found = await world.archive.incident(incident.id)
    assert found is not None
    assert len(found.timeline) == 11
    assert found.timeline[-1].kind == "ServiceUp"


async def test_the_last_good_result_is_known_after_a_restart(database: SQLite) -> None:
    world = await World(database).start()
    await world.play(GOOD)
    await world.journal.close()
    world = World(database)
    world.book.remember_good((await world.journal.restore()).states.values())
    await world.play(BAD, BAD, begin=1)
    [incident], _ = await world.archive.incidents(Wanted())
    found = await world.archive.incident(incident.id)
    assert found is not None
    assert "last_good" in {one.kind for one in found.evidence}


async def test_people_add_notes_and_acknowledge_once(database: SQLite) -> None:
    world = await World(database).start()
    await world.play(BAD, BAD)
    [incident], _ = await world.archive.incidents(Wanted())
    await world.archive.note(incident.id, "it was <b>the disk</b> | full", "ann")
    await world.archive.acknowledge(incident.id, "ann")
    await world.archive.acknowledge(incident.id, "bob")
    found = await world.archive.incident(incident.id)
    assert found is not None
    assert found.acknowledged_by == "ann"
    text = postmortem(found, "Api", START + timedelta(hours=1))
    assert "# Api was down: refused" in text
    assert "it was &lt;b>the disk&lt;/b> \\| full" in text


async def test_lists_are_read_page_by_page(database: SQLite) -> None:
    world = await World(database).start()
    await world.play(*[BAD, BAD, GOOD] * 5)
    seen, cursor = [], Wanted().before
    while cursor:
        page, cursor = await world.archive.incidents(Wanted(before=cursor, count=2))  # type: ignore[assignment]
        seen += [incident.id for incident in page]
    assert len(seen) == len(set(seen)) == 5
    events, _ = await world.archive.events(Wanted(service_id="api", event_type="ServiceDown"))
    assert len(events) == 5
