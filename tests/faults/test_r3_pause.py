"""R3: our own process stands still with checks in flight, or its loop is blocked."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from tests.faults.ledger import Ledger, busiest, ledger
from tests.process import Monitor, monitor, wait_for
from tests.servers import service

from fks_master.model import Outcome

SERVICES = 40
INTERVAL = 2.0
SLACK = 5.0  # for a machine that has other things to do
WINDOW = 0.2


def is_quiet(asked: Ledger, since: float) -> None:
    """Everybody is asked again within two intervals, and they do not come all at once."""
    first = {name: at for at, name in reversed(asked.entries) if at >= since}
    assert len(first) == SERVICES
    assert max(first.values()) - since < 2 * INTERVAL + SLACK
    after = [at for at, _ in asked.entries if since <= at < since + 2 * INTERVAL]
    assert busiest(after, WINDOW) < SERVICES * 0.6
    assert len(after) <= 3.5 * SERVICES


def asked_since(asked: Ledger, moment: float) -> int:
    return len({name for at, name in asked.entries if at >= moment})


def figures(one: Monitor) -> tuple[int, int]:
    found = one.get("/api/metrics")
    return found["total_requests"], found["total_errors"]


def test_ten_seconds_stopped_fail_no_check_and_are_told_as_one_gap(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    with ledger() as asked:
        services = (asked.service(f"s{n}") for n in range(SERVICES))
        path.write_text(
            f"[monitoring]\ncheck_interval_seconds = {INTERVAL}\ntimeout_seconds = 4\nretry_attempts = 1\n"
            f"[alerts]\nconsecutive_failures_threshold = 1\n{''.join(services)}"
        )
        with monitor("--config", str(path), folder=tmp_path) as one:
            wait_for(lambda: figures(one)[0] >= 2 * SERVICES)
            asked.is_silent.set()
            held = len(asked.entries)
            wait_for(lambda: len(asked.entries) >= held + 10)
            os.kill(one.process.pid, signal.SIGSTOP)
            time.sleep(10)  # this is the fault
            asked.is_silent.clear()
            resumed = time.monotonic()
            os.kill(one.process.pid, signal.SIGCONT)
            wait_for(lambda: len({name for at, name in asked.entries if at > resumed + 2 * INTERVAL}) == SERVICES)
            assert figures(one)[1] == 0
            assert {each["status"] for each in one.get("/api/services")} == {"Healthy"}
            events = one.get("/api/events?limit=1000")["events"]
        is_quiet(asked, resumed)
    gaps = [each["data"]["pause_seconds"] for each in events if "pause_seconds" in each["data"]]
    assert len([gap for gap in gaps if 8 < gap < 18]) == 1
    assert {each["event_type"] for each in events} <= {"StatusChanged", "SystemAlert"}


async def test_five_seconds_of_a_blocked_loop_fail_no_check(watching: Callable[..., Any]) -> None:
    with ledger() as asked:
        asked.answers_after = 0.3
        one = service(f"{asked.address}/", interval_seconds=INTERVAL, timeout_seconds=2.0)
        services = [
            msgspec.structs.replace(one, id=f"s{n}", health_endpoint=f"{asked.address}/s{n}") for n in range(SERVICES)
        ]
        watch = watching(services, 5)
        await watch.until(lambda watch: len(watch.results) >= SERVICES * 2)
        held = len(asked.entries)
        await asyncio.to_thread(wait_for, lambda: len(asked.entries) > held)
        time.sleep(5)  # noqa: ASYNC251 - this is the fault
        resumed = time.monotonic()
        await watch.until(
            lambda _: time.monotonic() > resumed + 2 * INTERVAL and asked_since(asked, resumed) == SERVICES
        )
        await watch.close()
        is_quiet(asked, resumed)
    assert Outcome.FAILURE not in {result.outcome for _, result in watch.results}
    assert len([pause for pause in watch.pauses if 3.5 < pause < 12]) == 1
