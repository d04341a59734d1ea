"""Jobs that report themselves to a running monitor."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.test_webhook import Receiver
from tests.process import Monitor, monitor, wait_for

TOKEN = "canary-token-of-a-job"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.server.shutdown()
    one.server.server_close()


def config(folder: Path, receiver: Receiver, rest: str = "period_seconds = 3600") -> str:
    path = folder / "monitor.toml"
    path.write_text(
        f'[alerts]\nwebhook_url = "{receiver.url}"\n'
        f'[[services]]\nid = "backup"\nhealth_endpoint = "heartbeat://"\ncritical = true\n'
        f'[services.heartbeat]\ntoken = "{TOKEN}"\n{rest}\n'
    )
    return str(path)


def send(one: Monitor, path: str = "", body: object = None, token: str = TOKEN) -> tuple[int, Any]:
    status, _, answer = one.request(f"/api/heartbeat/{token}{path}", "POST", body)
    return status, json.loads(answer)


def line(one: Monitor) -> dict[str, Any]:
    found: list[dict[str, Any]] = one.get("/api/heartbeats")
    assert len(found) == 1
    return found[0]


def test_a_job_says_how_it_fares(tmp_path: Path, receiver: Receiver) -> None:
    with monitor("--config", config(tmp_path, receiver), FKS_MONITOR_API_KEY="key") as one:
        assert one.request("/api/heartbeats")[0] == 401
        assert one.status("backup") == "Unknown"
        status, answer = send(one)
        assert (status, answer["ok"], answer["state"]) == (200, True, "success")
        assert one.status("backup") == "Healthy"
        assert send(one, "/start")[1]["state"] == "start"
        assert send(one, "/3", "the disk is full")[1]["state"] == "fail"
        assert one.status("backup") == "Unhealthy"
        wait_for(lambda: receiver.events == [("ServiceDown", "backup")])
        told = receiver.bodies[0]
        assert (told["data"]["reason"], told["data"]["error"]) == ("reported", "the job failed with exit code 3")
        send(one, "?duration_seconds=12.5")
        wait_for(lambda: receiver.events == [("ServiceDown", "backup"), ("ServiceUp", "backup")])
        shown = json.loads(one.request("/api/heartbeats", x_api_key="key")[2])[0]
        assert (shown["state"], shown["duration_seconds"], shown["running_since"]) == ("well", 12.5, None)
        assert TOKEN not in one.log + json.dumps(shown) + one.request("/openapi.json")[2].decode()


def test_what_is_due_and_does_not_come_is_told(tmp_path: Path, receiver: Receiver) -> None:
    rest = "period_seconds = 1\ngrace_seconds = 1"
    with monitor("--config", config(tmp_path, receiver, rest)) as one:
        wait_for(lambda: receiver.events == [("ServiceDown", "backup")])
        told = receiver.bodies[0]
        assert told["data"]["reason"] == "late"
        assert "no sign of life, due at" in told["data"]["error"]
        assert "there never was one" in told["data"]["error"]
        assert send(one)[0] == 200
        wait_for(lambda: len(receiver.events) >= 2)
        assert receiver.events[1] == ("ServiceUp", "backup")


def test_a_restart_remembers_and_blames_nobody(tmp_path: Path, receiver: Receiver) -> None:
    path = config(tmp_path, receiver, "period_seconds = 3\ngrace_seconds = 1")
    with monitor("--config", path, folder=tmp_path) as one:
        send(one)
        first = line(one)["last_succeeded"]
        one.process.kill()
    time.sleep(4.5)  # the monitor is away at the very time at which the job is due
    with monitor("--config", path, folder=tmp_path) as one:
        shown = line(one)
        assert (shown["last_succeeded"], shown["state"]) == (first, "well")
        assert one.status("backup") == "Healthy"
        assert receiver.events == []
        wait_for(lambda: receiver.events == [("ServiceDown", "backup")])


def test_a_failure_survives_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    path = config(tmp_path, receiver)
    with monitor("--config", path, folder=tmp_path) as one:
        send(one, "/fail")
        wait_for(lambda: receiver.events)
        one.process.kill()
    with monitor("--config", path, folder=tmp_path) as one:
        assert line(one)["state"] == "failed"
        assert one.status("backup") == "Unhealthy"
        send(one)
        wait_for(lambda: len(receiver.events) == 2)
    assert receiver.events == [("ServiceDown", "backup"), ("ServiceUp", "backup")]


def test_the_end_of_what_a_job_wrote_is_kept(tmp_path: Path, receiver: Receiver) -> None:
    with monitor("--config", config(tmp_path, receiver)) as one:
        send(one, "/fail", "x" * 200_000 + "the last line")
        wait_for(lambda: receiver.events)
        found = one.get("/api/services/backup/health")
        assert found["status"] == "Unhealthy"
        incident = one.get("/api/incidents")["incidents"][0]
        wait_for(lambda: b"xxxthe last line" in one.request(f"/api/incidents/{incident['id']}")[2])


def test_wrong_tokens_find_nothing_and_are_counted_and_a_right_one_always_passes(
    tmp_path: Path, receiver: Receiver
) -> None:
    with monitor("--config", config(tmp_path, receiver)) as one:
        said = [send(one, token=f"wrong-{number}")[0] for number in range(110)]
        assert (set(said[:100]), said[-1]) == ({404}, 429)
        assert send(one)[0] == 200
        assert one.request(f"/api/heartbeat/{TOKEN}")[0] == 405
        assert send(one, "/soon")[0] == 400
        assert send(one, "/256")[0] == 400
        assert send(one, "?exit_code=-1")[0] == 400
        often = [send(one)[0] for _ in range(125)]
        assert (often[0], often[-1]) == (200, 429)


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ('token = "short"\nperiod_seconds = 60', "16 to 128 letters"),
        ("period_seconds = 60", "expected either token or token_file"),
        ('token = "a-good-long-token"', "expected either period_seconds or cron"),
        ('token = "a-good-long-token"\ncron = "61 * * * *"', "five fields of cron"),
        ('token_file = "/none"\ncron = "1 * * * *"', "token_file"),
    ],
)
def test_a_mistake_in_the_config_is_told(tmp_path: Path, rest: str, said: str) -> None:
    from fks_master.config.load import load  # noqa: PLC0415
    from fks_master.errors import ConfigError  # noqa: PLC0415

    path = tmp_path / "monitor.toml"
    one = f'[[services]]\nid = "a"\nhealth_endpoint = "heartbeat://"\n[services.heartbeat]\n{rest}\n'
    path.write_text(one)
    with pytest.raises(ConfigError, match=said) as error:
        load(path, {})
    assert "short" not in str(error.value)
    good = one.replace(rest, 'token = "a-good-long-token"\ncron = "0 3 * * *"')
    path.write_text(good + good.replace('"a"', '"b"'))
    with pytest.raises(ConfigError, match="has the same one"):
        load(path, {})
    path.write_text(good.replace("heartbeat://", "http://x/"))
    with pytest.raises(ConfigError, match="only for services"):
        load(path, {})


def test_a_job_is_not_asked_from_the_command_line(tmp_path: Path, receiver: Receiver) -> None:
    command = [sys.executable, "-m", "fks_master", "check", "backup", "--config", config(tmp_path, receiver)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "it reports itself" in done.stderr) == (1, True)
