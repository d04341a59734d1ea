"""`fks_master db prune` and `fks_master migrate` on histories that monitors wrote."""

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.postgres import cluster
from tests.process import monitor, wait_for

from fks_master.app.watching import MIGRATIONS
from fks_master.history.keeper import Retention
from fks_master.history.past import Past
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Outcome, Policy, Reason, Result, Service
from fks_master.storage.sqlite import SQLite
from fks_master.testing import PassingClock

SERVICE = Service("api", "Api", "http://127.0.0.1:1/h")


async def write(path: Path, start: datetime, count: int) -> None:
    """Let a service be looked at every 30 s; each tenth time it is down."""
    clock = PassingClock(start)
    past = Past(SQLite(path, MIGRATIONS), lambda: hub.services, clock, Retention())
    hub = Hub([SERVICE], Policy(failure_threshold=1), Metrics(0.0), past.journal.record)
    hub.restore(await past.restore(hub.services))
    for number in range(count):
        bad = number % 10 == 0
        reason = Reason.REFUSED if bad else None
        outcome = Outcome.FAILURE if bad else Outcome.SUCCESS
        clock.elapsed = 30.0 * number
        hub.ingest(Result("api", outcome, clock.now(), 0.01, reason, "re\0fused"))
    await past.journal.close()
    await past.keeper.roll_up()
    await past.close()


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "fks_master", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def configure(folder: Path, url: str = "sqlite:fks.db") -> None:
    service = '[[services]]\nid = "api"\nhealth_endpoint = "http://127.0.0.1:1/h"\n'
    (folder / "monitor.toml").write_text(f'[history]\nurl = "{url}"\n{service}')


def count(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])  # noqa: S608


def test_prune_deletes_what_is_past_its_time(tmp_path: Path) -> None:
    path = tmp_path / "fks.db"
    configure(tmp_path)
    asyncio.run(write(path, datetime.now(UTC) - timedelta(hours=49), 360))
    done = run(tmp_path, "db", "prune", "--config", "monitor.toml", "--compact")
    assert done.returncode == 0, done.stderr
    left = count(path, "results")
    assert 235 <= left <= 242
    assert f"{360 - left} results" in done.stdout
    assert count(path, "rollups") > 180
    with monitor("--config", "monitor.toml", folder=tmp_path):
        assert run(tmp_path, "db", "prune", "--config", "monitor.toml").returncode == 0
        refused = run(tmp_path, "db", "prune", "--compact", "--config", "monitor.toml")
        assert refused.returncode == 1
        assert "another FKS Master works on" in refused.stderr


def test_a_backup_that_cannot_be_and_a_restore_of_itself_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "fks.db"
    configure(tmp_path)
    asyncio.run(write(path, datetime.now(UTC) - timedelta(hours=1), 10))
    refused = run(tmp_path, "db", "backup", "nowhere/saved.db", "--config", "monitor.toml")
    assert (refused.returncode, "cannot be written" in refused.stderr) == (1, True)
    refused = run(tmp_path, "db", "restore", "fks.db", "--config", "monitor.toml")
    assert (refused.returncode, "the history itself" in refused.stderr) == (1, True)
    assert count(path, "results") == 10


def test_everything_moves_to_postgresql_and_a_monitor_goes_on_there(tmp_path: Path) -> None:
    path = tmp_path / "fks.db"
    configure(tmp_path)
    asyncio.run(write(path, datetime.now(UTC) - timedelta(hours=2), 200))
    with cluster() as server:
        for _ in range(2):  # again, as after a run that was broken off
            done = run(tmp_path, "migrate", server.url, "--config", "monitor.toml")
            assert done.returncode == 0, done.stderr
        assert "rows of" in done.stdout
        with closing(sqlite3.connect(tmp_path / "other.db")) as other, closing(sqlite3.connect(path)) as connection:
            connection.backup(other)
            other.execute("UPDATE watched SET id = 'stranger'")
            other.commit()
        refused = run(tmp_path, "migrate", server.url, "--source", "other.db")
        assert (refused.returncode, "holds another history" in refused.stderr) == (1, True)
        before = count(path, "incidents")
        configure(tmp_path, server.url)
        with monitor("--config", "monitor.toml", folder=tmp_path) as one:
            incidents = one.get("/api/incidents?limit=1000")["incidents"]
            assert len([each for each in incidents if each["ended_at"]]) >= before - 1
            assert len(incidents) >= before
            wait_for(lambda: one.get("/api/services/api/latency?range=3h")["count"] >= 200)
    refused = run(tmp_path, "migrate", "sqlite:x.db", "--config", "monitor.toml")
    assert refused.returncode == 1
