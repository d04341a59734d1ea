"""`fks_master alerts replay`: what was recorded, told by the config of today."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from fks_master.cli import main
from fks_master.clock import SystemClock
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Event, EventType, Outcome, Policy, Reason, Result, Service
from fks_master.storage import Journal
from fks_master.storage.sqlite import SQLite

NOW = datetime.now(UTC)
CONFIG = """
[history]
url = "sqlite:{path}"
[alerts]
webhook_url = "http://hook.invalid/"
consecutive_failures_threshold = {threshold}
[[services]]
id = "api"
health_endpoint = "http://api/"
depends_on = {needs}
[[services]]
id = "data"
health_endpoint = "http://data/"
"""


@pytest.fixture
async def recorded(tmp_path: Path) -> Path:
    """Record an outage of two minutes an hour ago, of a service and of what it needs, and one that is long past."""
    database = SQLite(tmp_path / "fks.db")
    journal = Journal(database, SystemClock())
    services = [Service(name, name, f"http://{name}/") for name in ("api", "data", "gone")]
    hub = Hub(services, Policy(), Metrics(0.0), journal.record)
    hub.restore(await journal.restore())
    for back, outcome in (
        (3000, Outcome.FAILURE),
        (2000, Outcome.SUCCESS),
        (60, Outcome.FAILURE),
        (58, Outcome.SUCCESS),
    ):
        for name in ("data", "api", "gone"):
            reason = Reason.TIMEOUT if outcome is Outcome.FAILURE else None
            hub.ingest(Result(name, outcome, NOW - timedelta(minutes=back), reason=reason, message="so it was"))
    hub.announce(Event(EventType.SYSTEM_ALERT, "The monitor was held up", NOW - timedelta(minutes=30)))
    await journal.flush()
    await journal.close()
    await database.close()
    return tmp_path / "fks.db"


def replay(recorded: Path, since: str, threshold: int = 3, needs: str = "[]") -> list[str]:
    config = recorded.with_name("monitor.toml")
    config.write_text(CONFIG.format(path=recorded, threshold=threshold, needs=needs))
    result = CliRunner().invoke(main, ["alerts", "replay", "--since", since, "--config", str(config)])
    assert result.exit_code == 0, result.output
    return [line.split("  ", 1)[1] for line in result.output.splitlines()[:-1]]


def test_what_was_is_told_by_the_config_of_today(recorded: Path) -> None:
    assert replay(recorded, "2h", threshold=9) == ["webhook  SystemAlert  The monitor was held up"]
    told = replay(recorded, "2h", threshold=2)
    assert sorted(told) == [
        "webhook  ServiceDown api  api is down: so it was",
        "webhook  ServiceDown data  data is down: so it was",
        "webhook  ServiceUp api  api is up again",
        "webhook  ServiceUp data  data is up again",
        "webhook  SystemAlert  The monitor was held up",
    ]
    told = replay(recorded, "2h", threshold=2, needs='["data"]')
    assert [line for line in told if " api" in line] == []


def test_a_service_that_was_down_when_the_time_began_is_down(recorded: Path) -> None:
    assert replay(recorded, "40h")[:2] == [
        "webhook  ServiceDown api  api is down: so it was",
        "webhook  ServiceDown data  data is down: so it was",
    ]


@pytest.mark.parametrize("since", ["soon", "0s", "-1d", "9999d"])
def test_a_time_that_is_none_is_refused(recorded: Path, since: str) -> None:
    result = CliRunner().invoke(main, ["alerts", "replay", f"--since={since}"])
    assert result.exit_code == 2
    assert "--since" in result.output
