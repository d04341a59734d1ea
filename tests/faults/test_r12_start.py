"""R12: a thousand targets are due at the start."""

import time
from pathlib import Path

import pytest
from tests.faults.ledger import ledger
from tests.process import monitor, wait_for

SERVICES = 1000


@pytest.mark.parametrize(("batch_size", "answers_after"), [(5, 0.01), (100, 0.2)])
def test_the_first_round_keeps_to_the_batch_and_is_as_fast_as_that_allows(
    tmp_path: Path, batch_size: int, answers_after: float
) -> None:
    path = tmp_path / "monitor.toml"
    with ledger() as asked:
        asked.answers_after = answers_after
        services = (asked.service(f"s{n}") for n in range(SERVICES))
        path.write_text(
            f"[monitoring]\nbatch_size = {batch_size}\n"
            f"[alerts]\nconsecutive_failures_threshold = 1\n{''.join(services)}"
        )
        with monitor("--config", str(path), folder=tmp_path) as one:
            wait_for(lambda: len(asked.entries) >= SERVICES, 60)
            wait_for(lambda: one.get("/api/metrics")["total_requests"] >= SERVICES)
            assert {each["status"] for each in one.get("/api/services")} == {"Healthy"}
            assert one.get("/api/metrics")["total_errors"] == 0
            events = one.get("/api/events?event_type=ServiceDown")["events"]
    assert events == []
    assert {name for _, name in asked.entries[:SERVICES]} == {f"s{n}" for n in range(SERVICES)}, "everybody once first"
    assert batch_size // 2 < asked.most <= batch_size
    seconds = asked.entries[SERVICES - 1][0] - asked.entries[0][0]
    assert seconds < 5 * (SERVICES / batch_size * answers_after) + 5, "five times the ideal, for a loaded machine"


def test_a_start_with_everybody_down_tells_each_once_and_keeps_answering(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    services = (f'[[services]]\nid = "s{n}"\nhealth_endpoint = "http://127.0.0.1:1/"\n' for n in range(SERVICES))
    path.write_text(
        "[monitoring]\nretry_attempts = 1\nbatch_size = 100\n"
        f"[alerts]\nconsecutive_failures_threshold = 1\n{''.join(services)}"
    )
    with monitor("--config", str(path), folder=tmp_path) as one:
        slowest = 0.0
        while one.get("/api/metrics")["total_errors"] < SERVICES:
            began = time.monotonic()
            assert one.request("/health")[0] == 200
            slowest = max(slowest, time.monotonic() - began)
        assert slowest < 5
        told = wait_for(lambda: _down(one.get("/api/events?limit=1000&event_type=ServiceDown")["events"]))
    assert told == {f"s{n}" for n in range(SERVICES)}


def _down(events: list[dict[str, str]]) -> set[str]:
    found = [each["service_id"] for each in events if each["event_type"] == "ServiceDown"]
    assert len(found) == len(set(found))
    return set(found) if len(found) == SERVICES else set()
