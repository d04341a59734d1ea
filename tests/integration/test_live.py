"""The live feed as the contract has it, from a real client's side."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.process import PATIENCE, Fleet, Monitor, fleet, monitor, wait_for
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

ONE = '[[services]]\nid = "one"\nname = "The One"\nhealth_endpoint = "http://127.0.0.1:1/"\nretry_attempts = 1\n'


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitor]:
    path = tmp_path_factory.mktemp("live") / "monitor.toml"
    path.write_text(ONE)
    with monitor("--config", str(path)) as running:
        wait_for(lambda: running.status("one") == "Unhealthy")
        yield running


@contextmanager
def feed(one: Monitor) -> Iterator[ClientConnection]:
    with connect(one.address.replace("http", "ws") + "/ws") as live:
        assert of_type(live, "initial")["services"]
        yield live


def of_type(live: ClientConnection, *kinds: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while (message := json.loads(live.recv(deadline - time.monotonic())))["type"] not in kinds:
        pass
    return message


def say(live: ClientConnection, **fields: object) -> dict[str, Any]:
    """Send a command, and give what is answered to it."""
    live.send(json.dumps(fields))
    deadline = time.monotonic() + PATIENCE
    while (message := json.loads(live.recv(deadline - time.monotonic())))["type"] in {"update", "event", "change"}:
        pass
    return message


def test_all_is_told_at_once_and_again_every_five_seconds(one: Monitor) -> None:
    with connect(one.address.replace("http", "ws") + "/ws") as live:
        initial = json.loads(live.recv(PATIENCE))
        began = time.monotonic()
        assert initial.keys() == {"type", "services", "metrics"}
        assert {"id", "name", "status", "last_check", "uptime_seconds", "response_time_ms", "error_message",
                "service_type", "critical"} <= initial["services"][0].keys()  # fmt: skip
        assert {"total_services", "healthy_services", "unhealthy_services", "critical_services_down",
                "average_response_time_ms", "system_load_average", "total_requests", "total_errors",
                } <= initial["metrics"].keys()  # fmt: skip
        update = of_type(live, "update")
        assert 4 < time.monotonic() - began < 9.5
        assert update.keys() == {"type", "services", "metrics", "timestamp"}
        assert update["timestamp"].endswith("Z")


def test_the_details_of_a_service_are_given_or_it_is_said_that_there_is_none(one: Monitor) -> None:
    with feed(one) as live:
        details = say(live, command_type="get_service_details", service_id="one")
        assert (details["type"], details["service_id"]) == ("service_details", "one")
        assert {"service_id", "status", "checks", "metrics", "last_updated"} <= details["health"].keys()
        assert details["health"]["checks"][0]["message"] == "Connection refused"
        assert say(live, command_type="get_service_details", service_id="none")["type"] == "error"
        assert say(live, command_type="get_service_details")["type"] == "error"


@contextmanager
def troubled(folder: Path) -> Iterator[tuple[Monitor, Fleet]]:
    with fleet(interval=0.2) as targets:
        path = folder / "monitor.toml"
        path.write_text("[alerts]\nconsecutive_failures_threshold = 1\n" + targets.config.read_text())
        with monitor("--config", str(path)) as running:
            wait_for(lambda: {each["status"] for each in running.get("/api/services")} == {"Healthy"})
            yield running, targets


def test_only_the_events_that_were_asked_for_come_until_the_filter_is_cleared(tmp_path: Path) -> None:
    with troubled(tmp_path) as (running, targets), feed(running) as live:
        wanted: dict[str, object] = {"service_id": "fks_data", "event_types": ["ServiceDown"]}
        confirmed = say(live, command_type="subscribe_events", **wanted)
        assert confirmed["type"] == "subscription_confirmed"
        assert confirmed["filters"] == wanted
        assert confirmed["message"]
        for name in ("fks_api", "fks_data"):
            targets.behave(name, "error")
            wait_for(lambda name=name: running.status(name) == "Unhealthy")
        event = of_type(live, "event")
        assert (event["event_type"], event["service_id"]) == ("ServiceDown", "fks_data")
        assert {"event_type", "service_id", "message", "timestamp", "data"} <= event["event"].keys()
        assert all(event[name] == value for name, value in event["event"].items()), "nested and flat"
        assert say(live, command_type="clear_subscription")["type"] == "subscription_cleared"
        targets.behave("fks_api", "ok")
        back = of_type(live, "event")
        while back["event_type"] != "ServiceUp":
            back = of_type(live, "event")
        assert back["service_id"] == "fks_api"


def test_who_asks_for_changes_gets_them_one_by_one_and_no_full_updates(tmp_path: Path) -> None:
    with troubled(tmp_path) as (running, targets), feed(running) as live:
        assert say(live, command_type="subscribe_changes")["type"] == "subscription_confirmed"
        targets.behave("fks_api", "error")
        kinds = set()
        deadline = time.monotonic() + 6
        while time.monotonic() < deadline:
            message = json.loads(live.recv(PATIENCE))
            kinds.add(message["type"])
        assert "change" in kinds
        assert "update" not in kinds


def test_what_changed_between_the_snapshot_and_the_wish_for_changes_is_told_then(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text("[monitoring]\ncheck_interval_seconds = 86400\n" + ONE)
    with monitor("--config", str(path)) as running:
        wait_for(lambda: running.status("one") == "Unhealthy")
        with connect(running.address.replace("http", "ws") + "/ws") as live:
            known = of_type(live, "initial")["services"][0]["last_check"]
            running.request("/api/services/one/check", "POST")
            fresh = wait_for(lambda: {running.get("/api/services")[0]["last_check"]} - {known})
            live.send(json.dumps({"command_type": "subscribe_changes"}))
            change = of_type(live, "change")
        assert (change["id"], change["status"], {change["last_check"]}) == ("one", "Unhealthy", fresh)


RESTARTS = [
    ({"service_id": "none"}, "no service"),
    ({"service_id": "one"}, "no docker_container"),
]


@pytest.mark.parametrize(("fields", "message"), RESTARTS)
def test_a_restart_is_answered_with_its_result(one: Monitor, fields: dict[str, str], message: str) -> None:
    with feed(one) as live:
        result = say(live, command_type="restart_service", **fields)
        assert result["type"] == "restart_result"
        assert result["success"] is False
        assert message in result["message"]
        assert result["result"]["message"] == result["message"], "nested and flat"
        assert {"service_id", "success", "message", "timestamp"} <= result["result"].keys()


NONSENSE = [
    "", "null", "[]", "{}", "5", '"x"', '{"command_type":null}', '{"command_type":5}', '{"command_type":[]}',
    '{"command_type":"subscribe_events","event_types":"ServiceDown"}', '{"command_type":"RESTART_SERVICE"}',
    '{"command_type":"subscribe_events","service_id":5}', '{"command_type":"get_service_details","service_id":{}}',
    "{" * 3000, '{"command_type":"restart_service"}', '{"command_type":"restart_service","service_id":[1]}',
    '{"command_type":"restart_service","token":5,"service_id":"one"}', '{"command_type":"authenticate","token":{}}',
    '{"command_type":"follow_job","job_id":{},"offset":-1}', "\x00", '{"command_type":"compose","action":{}}',
    '{"command_type":"cancel_job"}', '{"command_type":"\\ud800"}',
    '{"command_type":"get_service_details","service_id":"one"}' + " " * 60_000,
]  # fmt: skip


def test_every_nonsense_is_answered_and_the_connection_goes_on(one: Monitor) -> None:
    with feed(one) as live:
        for number, text in enumerate(NONSENSE):
            if number % 10 == 0:
                time.sleep(1)  # a client may send 20 commands a second
            live.send(text)
            while (message := json.loads(live.recv(PATIENCE)))["type"] in {"update", "event"}:
                pass
            kinds = {"error"} if number < len(NONSENSE) - 1 else {"service_details"}
            assert message["type"] in kinds | {"restart_result"}, text[:100]
            assert message["type"] != "error" or message["reason"]
        assert say(live, command_type="clear_subscription")["type"] == "subscription_cleared"
    assert "Traceback" not in one.log


def test_a_command_in_bytes_is_a_command_too(one: Monitor) -> None:
    with feed(one) as live:
        live.send(b'{"command_type":"clear_subscription"}')
        assert of_type(live, "subscription_cleared", "error")["type"] == "subscription_cleared"
        live.send(b"\xff\x00\xfe")
        assert of_type(live, "subscription_cleared", "error")["type"] == "error"
    assert "Traceback" not in one.log


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitor]:
    path = tmp_path_factory.mktemp("closed") / "monitor.toml"
    path.write_text("[server]\npublic_read = false\n" + ONE)
    with monitor("--config", str(path), FKS_MONITOR_API_KEY="right") as running:
        yield running


@pytest.mark.parametrize("words", [None, "x", "[]", b"\xff", '{"command_type":"clear_subscription"}', "\ud7ff" * 9])
def test_without_a_credential_within_five_seconds_a_closed_feed_ends_with_1008(
    closed: Monitor, words: str | bytes | None
) -> None:
    began = time.monotonic()
    with connect(closed.address.replace("http", "ws") + "/ws") as live:
        if words is not None:
            live.send(words)
        with pytest.raises(ConnectionClosed):
            live.recv(PATIENCE)
        assert live.close_code == 1008
    assert time.monotonic() - began < (15 if words is None else 4.9)
    assert "Traceback" not in closed.log


def test_the_end_of_the_monitor_does_not_wait_for_who_has_not_said_who_they_are(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text("[server]\npublic_read = false\n" + ONE)
    with monitor("--config", str(path), FKS_MONITOR_API_KEY="right") as running:
        with connect(running.address.replace("http", "ws") + "/ws") as live:
            running.process.terminate()
            with pytest.raises(ConnectionClosed):
                live.recv(4)
            assert live.close_code == 1001
        assert running.process.wait(PATIENCE) == 0
