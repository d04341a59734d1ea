"""R7: the wall clock steps, and the time of the year changes, while the monitor runs."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.faults.ledger import Ledger, ledger
from tests.process import Monitor, monitor, wait_for
from tests.servers import Recorder, listening, service

from fks_master.clock import SystemClock
from fks_master.model import Outcome

INTERVAL = 0.5
SERVICES = 5
HOUR, DAY = 3600.0, 86400.0
# The program reads the wall clock in one place; here that place adds what a file says.
STEPPING = """
import os, pathlib
from datetime import timedelta
from fks_master import clock

honest = clock.SystemClock.now
step = lambda: timedelta(seconds=float(pathlib.Path(os.environ["STEPS"]).read_text()))
clock.SystemClock.now = lambda self: honest(self) + step()
"""
AROUND_DST = datetime(2026, 10, 25, 0, 59, 57, tzinfo=UTC)  # three seconds later Berlin has 02:00 again


class SteppingClock(SystemClock):
    """Its wall time jumps by an hour or a day with every look."""

    def __init__(self) -> None:
        self.steps = 0

    def now(self) -> datetime:
        self.steps += 1
        jump = timedelta(days=1) if self.steps % 3 else timedelta(hours=-1)
        return datetime.now(UTC) + jump * (-1) ** self.steps


async def test_the_schedule_does_not_look_at_the_wall_clock(watching: Callable[..., Any]) -> None:
    async with listening(Recorder().handle) as port:
        watch = watching([service(port, interval_seconds=0.3)], 5, SteppingClock())
        await watch.until(lambda watch: len(watch.results) >= 8)
        await watch.close()
    assert Outcome.FAILURE not in {result.outcome for _, result in watch.results}
    gaps = [later - earlier for earlier, later in pairwise(watch.moments("one")[1:])]
    assert all(gap < 0.3 + 5 for gap in gaps)


def until_all_are_asked(asked: Ledger, times: int) -> None:
    since = time.monotonic()
    wait_for(lambda: all(sum(at > since for at in asked.moments(f"s{n}")) >= times for n in range(SERVICES)))


def test_steps_of_the_wall_clock_move_no_check_tell_nothing_and_leave_history_in_order(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(STEPPING)
    steps, path = tmp_path / "steps", tmp_path / "monitor.toml"
    steps.write_text("0")
    with ledger() as asked:
        services = (asked.service(f"s{n}") for n in range(SERVICES))
        path.write_text(
            f"[monitoring]\ncheck_interval_seconds = {INTERVAL}\nretry_attempts = 1\n"
            "[alerts]\nconsecutive_failures_threshold = 1\n"
            '[[services]]\nid = "down"\nhealth_endpoint = "http://127.0.0.1:1/"\n' + "".join(services)
        )
        environment = {"PYTHONPATH": str(tmp_path), "STEPS": str(steps), "TZ": "Europe/Berlin"}
        with monitor("--config", str(path), folder=tmp_path, **environment) as one:
            until_all_are_asked(asked, 3)
            began = time.monotonic()
            dst = (AROUND_DST - datetime.now(UTC)).total_seconds()
            for step in (HOUR, 0, DAY, 0, -HOUR, 0, -DAY, dst, 0):
                steps.with_suffix(".new").write_text(str(step))
                steps.with_suffix(".new").rename(steps)
                until_all_are_asked(asked, 4 if step == dst else 2)
            ended = time.monotonic()
            assert is_in_order(one)
            events = one.get("/api/events?limit=1000")["events"]
            assert one.get("/api/metrics")["unhealthy_services"] == 1
            assert one.request("/health")[0] == 200
    for number in range(SERVICES):
        moments = [at for at in asked.moments(f"s{number}") if began <= at <= ended]
        gaps = [later - earlier for earlier, later in pairwise(moments)]
        assert max(gaps) < INTERVAL + 5
        assert len(moments) <= (ended - began) / INTERVAL + 2
    told = [(each["event_type"], each["service_id"]) for each in events if each["event_type"] != "StatusChanged"]
    assert told == [("ServiceDown", "down")]


def is_in_order(one: Monitor) -> bool:
    wide = "since=2020-01-01T00:00:00Z&until=2030-01-01T00:00:00Z"
    found = one.get(f"/api/services/s0/history?{wide}")
    stretches = [(each["started_at"], each["ended_at"]) for each in found["statuses"]]
    assert stretches
    assert stretches == sorted(stretches)
    assert all(started <= ended for started, ended in stretches)
    assert [each["at"] for each in found["points"]] == sorted(each["at"] for each in found["points"])
    numbers = [each["id"] for each in one.get("/api/events?limit=1000")["events"]]
    return numbers in (sorted(numbers), sorted(numbers, reverse=True))
