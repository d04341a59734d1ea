"""R2: killed at random while targets flap: nothing lost, nothing made up, at most one repeat a kill.

`make soak` kills 50 times; here it is a few.
"""

import os
import random
import threading
import time
from pathlib import Path

import pytest
from tests.faults.oracle import Collector, Ledger, Runs, assert_oracle_holds, assert_sound, serving
from tests.process import PATIENCE, monitor, wait_for

KILLS = int(os.environ.get("FKS_SOAK_KILLS", "5"))
INTERVAL, THRESHOLD, TIMEOUT = 0.25, 2, 1.0
BOUND = INTERVAL * THRESHOLD + TIMEOUT + 2
HEAD = f"""[monitoring]
timeout_seconds = {TIMEOUT:g}
retry_attempts = 1
batch_size = 20
[alerts]
consecutive_failures_threshold = {THRESHOLD}
"""


def flap(ledger: Ledger, chance: random.Random, done: threading.Event) -> None:
    """Let each target change on its own: long states that must be told, and single blips that need not be."""
    was_blip = dict.fromkeys(ledger.names, False)
    due = {name: time.time() + chance.uniform(0, 4) for name in ledger.names}
    while not done.wait(0.05):
        for name, at in due.items():
            if time.time() >= at:
                ledger.set(name, is_up=not ledger.is_up[name])
                was_blip[name] = not was_blip[name] and chance.random() < 0.3
                long = chance.choice((BOUND + 1, BOUND + 3, 2 * BOUND))
                due[name] = time.time() + (0.3 if was_blip[name] else long)
    for name in ledger.names:
        ledger.set(name, is_up=True)


@pytest.mark.timeout(300 + 15 * KILLS)
def test_killed_at_random(tmp_path: Path) -> None:
    chance = random.Random(KILLS)  # noqa: S311
    ledger, collector, runs = Ledger([f"s{number}" for number in range(8)]), Collector(), Runs()
    done = threading.Event()
    flapping = threading.Thread(target=flap, args=(ledger, chance, done))
    with serving(ledger.handler()) as targets, serving(collector.handler()) as hook:
        config = f'{HEAD}webhook_url = "{hook}/hook"\n{ledger.config(targets, INTERVAL)}'
        (tmp_path / "monitor.toml").write_text(config)
        flapping.start()
        try:
            for _ in range(KILLS):
                with monitor("--config", "monitor.toml", folder=tmp_path) as one:
                    runs.begin()
                    time.sleep(chance.choice((0.1, 1, 3, BOUND + 2)))
                    one.process.kill()
                    runs.end()
        finally:
            done.set()
            flapping.join()
        with monitor("--config", "monitor.toml", folder=tmp_path) as one:
            runs.begin()
            wait_for(lambda: all(each["status"] == "Healthy" for each in one.get("/api/services")), PATIENCE)
            down = {each.name for each in collector.distinct}
            wait_for(lambda: all(_last(collector, name) == "ServiceUp" for name in down), PATIENCE)
            assert one.stop() == 0
            runs.end()
    assert_oracle_holds(ledger, collector, runs, BOUND, KILLS)
    assert_sound(tmp_path / "data" / "fks_master.db")


def _last(collector: Collector, name: str) -> str:
    return next((one.kind for one in reversed(collector.distinct) if one.name == name), "")
