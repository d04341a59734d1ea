"""Alerts, silences and receivers as people handle them through the API."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.test_webhook import Receiver, all_seen, told
from tests.process import Fleet, Monitor, fleet, monitor, wait_for

HOUR = 3600


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.server.shutdown()
    one.server.server_close()


def send(one: Monitor, method: str, path: str, body: object = None) -> tuple[int, Any]:
    status, _, answer = one.request(path, method, body)
    return status, json.loads(answer) if answer else None


def test_an_alert_is_seen_acknowledged_and_counted(receiver: Receiver, tmp_path: Path) -> None:
    with fleet() as targets, monitor("--config", str(told(targets, receiver, tmp_path))) as one:
        wait_for(lambda: all_seen(one))
        assert one.get("/api/alerts") == []
        targets.behave("fks_worker", "error")
        wait_for(lambda: receiver.events)
        alert = wait_for(lambda: next((each for each in one.get("/api/alerts") if each["state"] == "told"), None))
        assert (alert["id"], alert["muted"]) == ("ServiceDown:fks_worker", None)
        path = f"/api/alerts/{alert['id']}/acknowledge"
        status, answer = send(one, "POST", path, {"by": "anna"})
        assert (status, answer["state"], answer["acknowledged_by"]) == (200, "acknowledged", "anna")
        assert send(one, "POST", "/api/alerts/ServiceDown:nobody/acknowledge")[0] == 404
        metrics = one.request("/metrics")[2].decode()
        assert 'state="acknowledged"} 1' in metrics
        assert 'fks_notifications_total{receiver="webhook",kind="webhook",result="sent"} 1' in metrics
        log = wait_for(lambda: [each for each in one.get("/api/deliveries?limit=5") if each["state"] != "pending"])
        assert [(each["receiver"], each["state"], each["service_id"]) for each in log] == [
            ("webhook", "sent", "fks_worker")
        ]
        assert log[0]["tries"] == 1


def test_a_silence_mutes_and_its_end_lets_speak(receiver: Receiver, tmp_path: Path) -> None:
    with fleet() as fks, monitor("--config", str(told(fks, receiver, tmp_path))) as one:
        wait_for(lambda: all_seen(one))
        silence = {"matchers": {"service_id": "fks_w*"}, "comment": "moving house", "duration_seconds": HOUR}
        status, made = send(one, "POST", "/api/silences", silence)
        assert (status, made["comment"]) == (201, "moving house")
        assert one.get("/api/silences") == [made]
        fks.behave("fks_worker", "error")
        wait_for(lambda: [each["state"] for each in one.get("/api/alerts")] == ["muted"])
        assert "moving house" in one.get("/api/alerts")[0]["muted"]
        assert receiver.events == []
        assert send(one, "DELETE", f"/api/silences/{made['id']}")[0] == 204
        assert send(one, "DELETE", f"/api/silences/{made['id']}")[0] == 404
        wait_for(lambda: receiver.events == [("ServiceDown", "fks_worker")])
        assert one.get("/api/silences") == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"matchers": {}, "duration_seconds": 1}, "at least one of matchers and where"),
        ({"matchers": {"service_id": "a"}}, "either ends or duration_seconds"),
        ({"matchers": {"service_id": "a"}, "duration_seconds": -1}, "> 0"),
        ({"where": ["severity=~(a+)+"], "duration_seconds": 60}, "simple regular expression"),
        ({"matchers": {"service_id": "a"}, "duration_seconds": 1e300}, "at most a year"),
        ({"matchers": {"service_id": "a"}, "ends": "2020-01-01T00:00:00Z"}, "later than now"),
        ({"matchers": {"service_id": "a"}, "ends": "2090-01-01T00:00:00"}, "with its zone"),
        ({"matcher": {}}, "unknown field"),
    ],
)
def test_a_bad_silence_is_refused_with_what_would_be_right(silent: Monitor, body: object, said: str) -> None:
    status, answer = send(silent, "POST", "/api/silences", body)
    assert status == 400
    assert said in answer["detail"]


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitor]:
    config = tmp_path_factory.mktemp("silent") / "monitor.toml"
    config.write_text('[[alerts.maintenance]]\nname = "always"\nbegins = "2020-01-01T00:00:00Z"\n'
                      'ends = "2100-01-01T00:00:00Z"\n')  # fmt: skip
    with monitor("--config", str(config)) as one:
        yield one


def test_maintenance_says_whether_it_lasts(silent: Monitor) -> None:
    found = silent.get("/api/maintenance")
    assert [(each["window"]["name"], each["is_active"]) for each in found] == [("always", True)]


def kept(config: Path) -> Path:
    """Let the monitor keep its history in a file."""
    config.write_text(config.read_text().replace("sqlite::memory:", "sqlite:data/fks_master.db"))
    return config


def test_maintenance_is_planned_and_called_off(receiver: Receiver, tmp_path: Path) -> None:
    with fleet() as fks:
        config = str(kept(told(fks, receiver, tmp_path)))
        with monitor("--config", config, folder=tmp_path) as one:
            wait_for(lambda: all_seen(one))
            plan = {"name": "moving", "services": ["fks_worker"], "duration_seconds": HOUR}
            status, made = send(one, "POST", "/api/maintenance", plan)
            assert (status, made["name"]) == (201, "moving")
            fks.behave("fks_worker", "error")
            wait_for(lambda: [each["muted"] for each in one.get("/api/alerts")] == ["maintenance: moving"])
            assert one.stop() == 0
        with monitor("--config", config, folder=tmp_path) as one:
            found = one.get("/api/maintenance")
            assert [(each["window"]["id"], each["is_active"]) for each in found] == [(made["id"], True)]
            assert send(one, "DELETE", f"/api/maintenance/{made['id']}")[0] == 204
            assert send(one, "DELETE", f"/api/maintenance/{made['id']}")[0] == 404
            wait_for(lambda: receiver.events == [("ServiceDown", "fks_worker")])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "a"}, "either ends or duration_seconds"),
        ({"name": "", "duration_seconds": 1}, "length >= 1"),
        ({"name": "a", "ends": "2020-01-01T00:00:00Z"}, "later than"),
        ({"name": "a", "ends": "2090-01-01T00:00:00"}, "with their zone"),
        ({"name": "a", "duration_seconds": 1e300}, "at most a year"),
        ({"name": "a", "begins": "2090-01-01T00:00:00Z", "duration_seconds": 60}, "at most a year"),
    ],
)
def test_a_bad_plan_is_refused_with_what_would_be_right(silent: Monitor, body: object, said: str) -> None:
    status, answer = send(silent, "POST", "/api/maintenance", body)
    assert (status, said in answer["detail"]) == (400, True)


def test_without_a_receiver_an_alert_says_that_nobody_was_told(silent_fleet: tuple[Monitor, Fleet]) -> None:
    one, fks = silent_fleet
    fks.behave("fks_worker", "error")
    alert = wait_for(lambda: one.get("/api/alerts"))[0]
    assert (alert["state"], alert["told"], alert["told_at"], alert["receivers"]) == ("firing", False, None, [])
    assert "fks_alerts_untold 1" in one.request("/metrics")[2].decode()


def test_an_error_budget_is_shown_and_told_of(silent_fleet: tuple[Monitor, Fleet]) -> None:
    one, fks = silent_fleet
    found = wait_for(lambda: one.get("/api/slo"))
    assert [(each["service_id"], each["objective_percent"], each["period_days"]) for each in found] == [
        ("fks_auth", 99.0, 30.0)
    ]
    fks.behave("fks_auth", "slow")
    wait_for(lambda: one.get("/api/slo")[0]["burn_rates"]["5m"] > 0)
    assert one.get("/api/slo")[0]["budget_left_percent"] < 100
    metrics = one.request("/metrics")[2].decode()
    assert 'fks_slo_objective_ratio{service_id="fks_auth",service_name="FKS Auth"} 0.99' in metrics
    assert 'fks_slo_burn_rate{service_id="fks_auth",service_name="FKS Auth",window="1h"}' in metrics


@pytest.fixture(scope="module")
def silent_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Monitor, Fleet]]:
    """Run a fleet whose alerts nobody is told, and which promises something of one service."""
    folder = tmp_path_factory.mktemp("untold")
    with fleet() as fks:
        text = fks.config.read_text()
        slo = "slo = { objective_percent = 99, latency_ms = 100 }"
        text = text.replace('id = "fks_auth"', f'id = "fks_auth"\n{slo}')
        (folder / "monitor.toml").write_text(text)
        with monitor("--config", str(folder / "monitor.toml"), folder=folder) as one:
            wait_for(lambda: all_seen(one))
            yield one, fks


def test_a_receiver_can_be_tested(receiver: Receiver, tmp_path: Path) -> None:
    with fleet() as targets, monitor("--config", str(told(targets, receiver, tmp_path))) as one:
        assert [each["name"] for each in one.get("/api/receivers")] == ["webhook"]
        assert receiver.url not in json.dumps(one.get("/api/receivers"))
        status, answer = send(one, "POST", "/api/receivers/webhook/test")
        assert (status, answer["success"]) == (200, True)
        assert receiver.bodies[0]["message"] == "This is a test of the receiver webhook."
        receiver.status = 404
        assert send(one, "POST", "/api/receivers/webhook/test")[1]["verdict"] == "refused"
        status, answer = send(one, "POST", "/api/receivers/nobody/test")
        assert (status, "webhook" in answer["detail"]) == (404, True)


def test_a_receiver_that_keeps_alerts_hears_who_has_one_in_hand_and_that_it_is_over(
    receiver: Receiver, tmp_path: Path
) -> None:
    with fleet() as fks:
        config = tmp_path / "monitor.toml"
        pager = f'[[alerts.receivers]]\nname = "pager"\nkind = "pagerduty"\nsecret = "key"\nurl = "{receiver.url}"\n'
        limits = "[alerts]\nconsecutive_failures_threshold = 2\nhigh_latency_threshold_ms = 1000\n"
        config.write_text(limits + pager + fks.config.read_text())
        with monitor("--config", str(config)) as one:
            wait_for(lambda: all_seen(one))
            fks.behave("fks_worker", "error")
            wait_for(lambda: receiver.bodies)
            send(one, "POST", "/api/alerts/ServiceDown:fks_worker/acknowledge", {"by": "anna"})
            wait_for(lambda: len(receiver.bodies) == 2)
            fks.behave("fks_worker", "ok")
            wait_for(lambda: len(receiver.bodies) == 3)
            assert [each["event_action"] for each in receiver.bodies] == ["trigger", "acknowledge", "resolve"]
            assert len({each["dedup_key"] for each in receiver.bodies}) == 1
            fks.behave("fks_api", "slow")
            wait_for(lambda: len(receiver.bodies) == 4)
            fks.behave("fks_api", "ok")
            wait_for(lambda: len(receiver.bodies) == 5)
            slow, over = receiver.bodies[3:]
            assert (slow["event_action"], slow["payload"]["class"]) == ("trigger", "HighLatency")
            assert (over["event_action"], over["dedup_key"]) == ("resolve", slow["dedup_key"])


RULES = """
[[alerts.rules]]
kind = "degraded"
for_seconds = 0
[[alerts.rules]]
kind = "error_rate"
above_percent = 50
window_seconds = 5
where = ["service_id=~fks_(auth|web)"]
"""


def test_what_rules_say_is_told_is_an_event_and_outlives_a_restart(receiver: Receiver, tmp_path: Path) -> None:
    with fleet() as fks:
        config = kept(told(fks, receiver, tmp_path))
        config.write_text(config.read_text() + RULES)
        with monitor("--config", str(config), folder=tmp_path) as one:
            wait_for(lambda: all_seen(one))
            fks.behave("fks_auth", "degraded")
            wait_for(lambda: receiver.events == [("ServiceDegraded", "fks_auth")])
            body = receiver.bodies[0]
            assert (body["data"]["rule"], body["data"]["is_firing"]) == ("degraded", True)
            assert [each["id"] for each in one.get("/api/alerts")] == ["ServiceDegraded:degraded:fks_auth"]
            rules = {each["name"]: each for each in one.get("/api/alerts/rules")}
            assert [name for name, each in rules.items() if each["state"] == "firing"] == ["degraded"]
            assert (rules["degraded"]["watched"], rules["degraded"]["about"][0]["service_id"]) == (11, "fks_auth")
            found = one.get("/api/events?event_type=ServiceDegraded")
            assert [each["service_id"] for each in found["events"]] == ["fks_auth"]
            assert one.stop() == 0
        with monitor("--config", str(config), folder=tmp_path) as one:
            wait_for(lambda: one.get("/api/metrics")["total_requests"] > 40)
            assert receiver.events == [("ServiceDegraded", "fks_auth")]
            fks.behave("fks_auth", "ok")
            wait_for(lambda: len(receiver.events) == 2)
            last = receiver.bodies[-1]
            assert (last["event_type"], last["data"]["is_firing"]) == ("ServiceDegraded", False)
            assert "no longer degraded" in last["message"]
            wait_for(lambda: one.get("/api/alerts") == [])


def test_an_error_budget_outlives_a_restart(receiver: Receiver, tmp_path: Path) -> None:
    with fleet() as fks:
        config = kept(told(fks, receiver, tmp_path))
        slo = 'id = "fks_auth"\nslo = { objective_percent = 99, period_days = 1 }'
        config.write_text(config.read_text().replace('id = "fks_auth"', slo, 1))
        with monitor("--config", str(config), folder=tmp_path) as one:
            wait_for(lambda: all_seen(one))
            fks.behave("fks_auth", "error")
            wait_for(lambda: receiver.events)
            fks.behave("fks_auth", "ok")
            wait_for(lambda: one.status("fks_auth") == "Healthy")
            wait_for(lambda: budget_left(one) < 100)
            before = budget_left(one)
            assert one.stop() == 0
        with monitor("--config", str(config), folder=tmp_path) as one:
            wait_for(lambda: budget_left(one) <= before)  # whatever was spent by then is still spent


def budget_left(one: Monitor) -> float:
    """Read what is left in per cent; all of it while nothing is known yet."""
    return min((float(each["budget_left_percent"]) for each in one.get("/api/slo")), default=100.0)
