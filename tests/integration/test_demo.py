import pytest
from tests.process import fleet, monitor, wait_for


def test_the_demo_shows_services_that_are_checked_and_one_that_is_ill() -> None:
    with monitor("demo", "--interval", "0.3") as one:
        wait_for(lambda: one.get("/health/aggregate")["healthyServices"] >= 9)
        assert one.stop() == 0


@pytest.mark.parametrize(
    ("behaviour", "status", "reason"),
    [
        ("error", "Unhealthy", "status"),
        ("refuse", "Unhealthy", "refused"),
        ("reset", "Unhealthy", "reset"),
        ("hang", "Unhealthy", "timeout"),
        ("bad_json", "Healthy", None),
        ("huge", "Healthy", None),
    ],
)
def test_a_behaviour_is_seen_as_it_is_and_so_is_its_end(behaviour: str, status: str, reason: str | None) -> None:
    with fleet(2) as targets, monitor("--config", str(targets.config)) as one:
        wait_for(lambda: one.status("fks_api") == "Healthy")
        targets.behave("fks_api", behaviour)
        wait_for(lambda: one.status("fks_api") == status)
        assert next(each["reason"] for each in one.get("/api/services") if each["id"] == "fks_api") == reason
        assert one.status("fks_auth") == "Healthy"
        targets.behave("fks_api", "ok")
        wait_for(lambda: one.status("fks_api") == "Healthy")
