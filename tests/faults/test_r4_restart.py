"""R4: restarted with 20 of 50 targets down: nobody is told anything, and state and incidents are the same."""

import signal
from pathlib import Path
from typing import Any

import pytest
from tests.faults.oracle import Collector, Ledger, assert_sound, serving
from tests.process import Monitor, monitor, wait_for

DOWN = 20


def remembered(one: Monitor) -> tuple[dict[str, Any], dict[str, Any]]:
    statuses = {each["id"]: each["status"] for each in one.get("/api/services")}
    incidents = {each["service_id"]: each["id"] for each in one.get("/api/incidents?state=open")["incidents"]}
    return statuses, incidents


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_makes_no_news(tmp_path: Path, how: signal.Signals) -> None:
    ledger, collector = Ledger([f"s{number}" for number in range(50)]), Collector()
    for name in ledger.names[:DOWN]:
        ledger.set(name, is_up=False)
    with serving(ledger.handler()) as targets, serving(collector.handler()) as hook:
        head = f'[alerts]\nwebhook_url = "{hook}/hook"\nconsecutive_failures_threshold = 2\n[monitoring]\n'
        (tmp_path / "monitor.toml").write_text(f"{head}retry_attempts = 1\n{ledger.config(targets, 0.5)}")
        with monitor("--config", "monitor.toml", folder=tmp_path) as one:
            wait_for(lambda: len(collector.distinct) == DOWN)
            wait_for(lambda: {*remembered(one)[0].values()} == {"Healthy", "Unhealthy"})
            before = remembered(one)
            wait_for(lambda: _is_settled(one))
            newest = one.get("/api/events?limit=1")["events"][0]["id"]
            one.stop(how)
        for name in ledger.names[:DOWN]:
            assert before[0][name] == "Unhealthy"
        with monitor("--config", "monitor.toml", folder=tmp_path) as one:
            assert remembered(one) == before
            wait_for(lambda: one.get("/api/status")["checks_completed"] >= 3 * len(ledger.names))
            assert remembered(one) == before
            assert one.get("/api/events?limit=1")["events"][0]["id"] == newest
            assert one.stop() == 0
    assert len(collector.told) == DOWN
    assert_sound(tmp_path / "data" / "fks_master.db")


def _is_settled(one: Monitor) -> bool:
    states = [each["state"] for each in one.get("/api/deliveries?limit=100")]
    return len(states) == DOWN and set(states) == {"sent"}
