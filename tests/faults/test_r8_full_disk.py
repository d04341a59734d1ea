"""R8: no room on the disk: at the start, while writing, while pruning."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.faults.disk import Disk, small_disk
from tests.faults.oracle import Collector, Ledger, assert_sound, serving
from tests.process import monitor, wait_for

from fks_master.errors import StoreFullError
from fks_master.history import MIGRATIONS
from fks_master.history.keeper import Retention
from fks_master.history.past import Past
from fks_master.history.recorder import SQL
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Outcome, Policy, Reason, Result, Service
from fks_master.storage import Query
from fks_master.storage.database import to_ms
from fks_master.storage.sqlite import SQLite
from fks_master.testing import PassingClock

COUNT = Query.parse("count", "SELECT COUNT(*) AS n, MAX(at_ms) AS newest FROM results")
SERVICES = [Service(f"s{number}", "S", "http://127.0.0.1:1/") for number in range(100)]


class Kept:
    """What remembers, on a small disk."""

    def __init__(self, disk: Disk) -> None:
        self.clock = PassingClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.path = disk.folder / "fks.db"
        self.database = SQLite(self.path, MIGRATIONS)
        self.past = Past(self.database, lambda: self.hub.services, self.clock, Retention())
        self.hub = Hub(SERVICES, Policy(failure_threshold=1), Metrics(0.0), self.past.journal.record)

    async def start(self) -> "Kept":
        self.hub.restore(await self.past.restore(self.hub.services))
        return self

    async def look(self, rounds: int) -> None:
        for number in range(rounds):
            self.clock.elapsed += 1
            for service in SERVICES:
                self.hub.ingest(Result(service.id, Outcome.SUCCESS, self.clock.now(), 0.01 + number / 10_000))
            if number % 100 == 99:
                await self.past.journal.tick()
        await self.past.journal.tick()

    async def roll_up(self) -> None:
        try:
            await self.past.keeper.roll_up()
        except StoreFullError:
            await self.past.keeper.make_room()

    async def fill_up(self, disk: Disk) -> None:
        """Leave no room but the reserve, not even in the log that has been written before."""
        disk.fill()
        numbers = iter(range(10**9))
        with suppress(StoreFullError):
            while True:
                rows = [(next(numbers), 10_000, 1, 10_000) for _ in range(5000)]
                await self.database.execute(SQL["add_result"].many(rows))


async def test_while_writing_the_oldest_results_make_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 16) as disk:
        kept = await Kept(disk).start()
        await kept.look(1500)
        await kept.past.keeper.roll_up()
        disk.fill()
        failing = 0
        for step in range(80):
            await kept.look(30)
            failing += kept.past.journal.is_full
            if kept.past.journal.is_full:
                await kept.past.keeper.make_room()
            if step == 40:
                refused = Result("s1", Outcome.FAILURE, kept.clock.now(), reason=Reason.REFUSED, message="refused")
                kept.hub.ingest(refused)
            if step % 5 == 4:
                await kept.roll_up()
        assert 0 < failing < 40
        assert kept.past.keeper.given_up_seconds > 0
        assert kept.past.recorder.dropped == 0
        await kept.past.journal.tick()
        assert (await kept.database.fetch(COUNT))[0]["newest"] == to_ms(kept.clock.now())
        told = [one.event_type.value for one in await kept.past.journal.follow(0)]
        assert told[-4:] == ["StatusChanged", "ServiceDown", "StatusChanged", "ServiceUp"]
        latency = await kept.past.measures.latency("s2", kept.clock.start, kept.clock.now() + timedelta(seconds=1))
        assert latency.count == 1500 + 80 * 30
        await kept.past.close()
        assert_sound(kept.path)


async def test_retention_works_on_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 16) as disk:
        kept = await Kept(disk).start()
        await kept.look(300)
        await kept.fill_up(disk)
        kept.clock.elapsed += 60 * 3600
        with suppress(StoreFullError):
            await kept.past.keeper.turn()
        assert (await kept.database.fetch(COUNT))[0]["n"] == 0
        await kept.look(100)
        assert not kept.past.journal.is_failing
        await kept.past.close()
        assert_sound(kept.path)


def test_at_the_start_checks_and_alerts_go_on_from_memory(tmp_path: Path) -> None:
    ledger, collector = Ledger(["one", "two"]), Collector()
    with (
        small_disk(tmp_path / "data", 16) as disk,
        serving(ledger.handler()) as targets,
        serving(collector.handler()) as hook,
    ):
        disk.fill()
        head = f'[alerts]\nwebhook_url = "{hook}/hook"\nconsecutive_failures_threshold = 2\n[monitoring]\n'
        (tmp_path / "monitor.toml").write_text(f"{head}retry_attempts = 1\n{ledger.config(targets, 0.2)}")
        with monitor("--config", "monitor.toml", folder=tmp_path) as one:
            wait_for(lambda: one.status("one") == "Healthy")
            ledger.set("one", is_up=False)
            wait_for(lambda: [told.kind for told in collector.distinct] == ["ServiceDown"])
            found = one.get("/api/status")
            assert found["store_failing"]
            assert any("disk is full" in warning for warning in found["warnings"])
            assert b"\nfks_history_failing 1" in one.request("/metrics")[2]
            disk.clear()
            wait_for(lambda: not one.get("/api/status")["store_failing"])
            [incident] = wait_for(lambda: one.get("/api/incidents")["incidents"])
            assert incident["service_id"] == "one"
            assert one.stop() == 0
        assert_sound(tmp_path / "data" / "fks_master.db")
    assert len(collector.told) == 1
