"""R1, R19: killed at each durable step, no transition is lost, told twice, or made up."""

import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.faults.oracle import Collector, serving
from tests.faults.victim import PERIOD, is_bad

from fks_master.storage import care

END = 4 * PERIOD
SWEEP = [
    *((step, nth) for step in ("migration.before", "migration.step", "migration.after") for nth in (1, 3)),
    *((step, nth) for step in ("commit.before", "commit.after") for nth in (1, 2, 3, 5, 8, 11)),
]


def start(path: Path, *more: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.faults.victim", str(path), *map(str, more)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def play(path: Path, failpoint: str, nth: int, begin: int, *more: object) -> int:
    """Run until the end or the kill; return the first result that the ledger does not hold."""
    with start(path, failpoint, nth, begin, END, *more) as victim:
        lines, _ = victim.communicate(timeout=30)
    return int(lines.split()[-1]) + 1 if lines.split() else begin


def assert_oracle_holds(path: Path) -> None:
    assert care.check(path) == []
    with sqlite3.connect(path) as connection:
        told = [row[0] for row in connection.execute(
            "SELECT event_type FROM events WHERE event_type IN ('ServiceDown', 'ServiceUp') ORDER BY id"
        )]  # fmt: skip
        changes = [row[0] for row in connection.execute("SELECT new FROM transitions ORDER BY id")]
        incidents = connection.execute("SELECT started_ms, ended_ms FROM incidents ORDER BY number").fetchall()
    connection.close()
    assert told == ["ServiceDown", "ServiceUp"] * (END // PERIOD)
    assert changes == ["Unhealthy", "Healthy"] * (END // PERIOD)
    assert len(incidents) == END // PERIOD
    assert all(ended is not None and ended > started for started, ended in incidents)


@pytest.mark.parametrize(("failpoint", "nth"), SWEEP)
def test_killed_at_a_durable_step(tmp_path: Path, failpoint: str, nth: int) -> None:
    path = tmp_path / "fks.db"
    reached = play(path, failpoint, nth, 0)
    assert play(path, "never", 0, reached) == END
    assert_oracle_holds(path)


TOLD = ["ServiceDown", "ServiceUp"] * (END // PERIOD)


@pytest.mark.parametrize(("failpoint", "nth"), [
    (step, nth) for step in ("commit.before", "commit.after") for nth in (2, 3, 4, 5, 6, 7, 8, 9, 14)
])  # fmt: skip
def test_killed_around_what_the_outbox_writes(tmp_path: Path, failpoint: str, nth: int) -> None:
    path, collector = tmp_path / "fks.db", Collector()
    with serving(collector.handler()) as hook:
        reached = play(path, failpoint, nth, 0, hook)
        assert play(path, "never", 0, reached, hook) == END
    assert_oracle_holds(path)
    assert [one.kind for one in collector.distinct] == TOLD
    assert len(collector.told) <= len(TOLD) + 1


@pytest.mark.parametrize("when", ["before_answer", "after_answer"])
@pytest.mark.parametrize("nth", [1, 2, 5])
def test_killed_while_it_tells(tmp_path: Path, when: str, nth: int) -> None:
    path, collector = tmp_path / "fks.db", Collector()

    def strike() -> None:
        if len(collector.told) == nth:
            victim.kill()

    setattr(collector, when, strike)
    with serving(collector.handler()) as hook:
        with start(path, "never", 0, 0, END, hook) as victim:
            lines, _ = victim.communicate(timeout=30)
        assert victim.returncode < 0
        reached = int(lines.split()[-1]) + 1 if lines.split() else 0
        assert play(path, "never", 0, reached, hook) == END
    assert_oracle_holds(path)
    assert [one.kind for one in collector.distinct] == TOLD
    assert len(collector.told) <= len(TOLD) + 1


def test_killed_at_random_while_it_flaps(tmp_path: Path) -> None:
    path, reached, chance = tmp_path / "fks.db", 0, random.Random(7)  # noqa: S311
    for _ in range(8):
        with start(path, "never", 0, reached, END) as victim:
            assert victim.stdout is not None
            for _ in range(chance.randint(0, 4)):
                line = victim.stdout.readline()
                reached = int(line) + 1 if line else reached
            time.sleep(chance.random() / 50)
            victim.kill()
            rest = victim.stdout.read().split()
        reached = int(rest[-1]) + 1 if rest else reached
    assert play(path, "never", 0, reached) == END
    assert_oracle_holds(path)
    assert is_bad(0)
