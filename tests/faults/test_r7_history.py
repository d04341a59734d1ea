"""R7: the wall clock steps by an hour or a day, either way: history stays in order, and time is told as it was."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.history.test_figures import START, Clock, World

from fks_master.history import MIGRATIONS
from fks_master.history.archive import Wanted
from fks_master.storage import care
from fks_master.storage.sqlite import SQLite

STEPS = [timedelta(hours=1), timedelta(hours=-1), timedelta(days=1), timedelta(days=-1)]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("at", [3, 7])
async def test_history_stays_in_order(tmp_path: Path, step: timedelta, at: int) -> None:
    database, clock = SQLite(tmp_path / "fks.db", MIGRATIONS), Clock()
    world = await World(database, clock).start()
    for number in range(14):
        if number == at:
            clock.wall += step
        world.look("bad" if 5 <= number < 10 else "good")
        await world.past.journal.tick()
        clock.advance(30)
    await world.past.keeper.turn()
    newest_first, _ = await world.past.archive.events(Wanted())
    assert [event.id for event in newest_first] == list(range(len(newest_first), 0, -1))
    assert [event.event_type.value for event in reversed(newest_first)] == [
        "StatusChanged", "StatusChanged", "ServiceDown", "StatusChanged", "ServiceUp",
    ]  # fmt: skip
    [line], _ = await world.past.archive.incidents(Wanted())
    incident = await world.past.archive.incident(line.id)
    assert incident is not None
    assert incident.ended_at is not None
    assert incident.ended_at >= incident.started_at
    kinds = [entry.kind for entry in incident.timeline]
    assert kinds.index("ServiceDown") < kinds.index("StatusChanged") < kinds.index("ServiceUp")
    found = await world.measures.uptime("api", START - timedelta(days=3), START + timedelta(days=3))
    assert found.unhealthy_seconds == pytest.approx(150, abs=0.1)
    assert found.healthy_seconds == pytest.approx(240, abs=0.1)
    total = await world.measures.latency("api", START - timedelta(days=3), START + timedelta(days=3))
    assert (total.count, total.failures) == (14, 5)
    await world.past.close()
    assert care.check(tmp_path / "fks.db") == []
