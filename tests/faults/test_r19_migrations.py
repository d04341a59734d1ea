"""R19: a file of an earlier version is brought up to date, though killed at each step of it; a newer one is refused."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.faults.test_kills import play
from tests.process import start

from fks_master.history import MIGRATIONS
from fks_master.storage import care, migrate
from fks_master.storage.sqlite import DIALECT

OLD = [*migrate.JOURNAL[:1], *(one for one in MIGRATIONS if one.number <= 2)]
RESULTS = [(1, 1_700_000_000_000 + 30_000 * number, 1, 1000 + number) for number in range(500)]


def make_old(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(migrate.CREATE_TABLE)
        for one in OLD:
            for text in one.statements(DIALECT):
                connection.execute(text)
            connection.execute(migrate.MARK.text, {"part": one.part, "number": one.number})
        connection.execute("INSERT INTO watched (number, id) VALUES (1, 'api')")
        connection.executemany("INSERT INTO results (service, at_ms, verdict, latency_us) VALUES (?, ?, ?, ?)", RESULTS)
        connection.commit()


def found(path: Path) -> list[tuple[int, int, int, int]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT service, at_ms, verdict, latency_us FROM results WHERE at_ms < 1750000000000 ORDER BY at_ms"
        )
        return [tuple(row) for row in rows]


@pytest.mark.parametrize("step", ["migration.before", "migration.step", "migration.after"])
@pytest.mark.parametrize("nth", [1, 2, 3, 5])
def test_killed_half_way(tmp_path: Path, step: str, nth: int) -> None:
    path = tmp_path / "fks.db"
    make_old(path)
    play(path, step, nth, 0)
    assert care.check(path) == []
    assert found(path) == RESULTS
    play(path, "never", 0, 0)
    assert care.check(path) == []
    assert found(path) == RESULTS


def test_a_newer_file_is_refused_with_a_clear_word(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text(
        '[history]\nurl = "sqlite:fks.db"\n[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n'
    )
    make_old(tmp_path / "fks.db")
    with closing(sqlite3.connect(tmp_path / "fks.db")) as connection:
        connection.execute("UPDATE schema_migrations SET number = 99 WHERE part = 'history' AND number = 2")
        connection.commit()
    with start("--config", "monitor.toml", folder=tmp_path) as process:
        _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "a newer FKS Master has written it" in said.decode()
    assert found(tmp_path / "fks.db") == RESULTS
