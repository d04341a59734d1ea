"""The program as a client of a running monitor, and the keys that it makes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docker_engine import Engine
from tests.integration.test_docker import watched
from tests.integration.test_webhook import Receiver, all_seen, told
from tests.process import Monitor, fleet, monitor, wait_for


def run(one: Monitor | str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    url = one if isinstance(one, str) else one.address
    command = [sys.executable, "-m", "fks_master", *arguments]
    return subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], "FKS_MASTER_URL": url, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_status_shows_the_worst_first_and_says_it_in_its_code() -> None:
    with fleet() as targets, monitor("--config", str(targets.config)) as one:
        wait_for(lambda: all(each["status"] == "Healthy" for each in one.get("/api/services")))
        done = run(one, "status")
        assert done.returncode == 0
        assert done.stdout.splitlines()[-1] == "11 healthy"
        targets.behave("fks_web", "error")
        wait_for(lambda: one.status("fks_web") == "Unhealthy")
        done = run(one, "status")
        assert (done.returncode, done.stdout.split()[1]) == (1, "fks_web")
        assert "HTTP 500" in done.stdout.splitlines()[0]
        shaped = json.loads(run(one, "status", "fks_api", "--json").stdout)
        assert [each["id"] for each in shaped] == ["fks_api"]
        wrong = run(one, "status", "fks_ap")
        assert (wrong.returncode, "did you mean fks_api?" in wrong.stderr) == (1, True)


def test_what_cannot_be_is_said_in_one_line(tmp_path: Path) -> None:
    for command in (("status",), ("restart", "a"), ("logs", "a")):
        done = run("http://127.0.0.1:1", *command)
        assert done.returncode == 1
        assert "no monitor answers at http://127.0.0.1:1" in done.stderr
        assert "Traceback" not in done.stderr
    assert "http://" in run("ftp://x", "status").stderr
    assert "cannot be read" in run("http://127.0.0.1:1", "status", "--key-file", str(tmp_path / "none")).stderr


def test_a_monitor_that_breaks_off_is_said_in_one_line_and_ctrl_c_is_no_mishap() -> None:
    """A server of our own says the beginning of an answer, and no more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        command = [sys.executable, "-m", "fks_master", "jobs", "1", "--follow", "--url", url]
        for is_broken in (True, False):
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as asking:
                assert asking.stdout is not None
                peer, _ = server.accept()
                with peer:
                    peer.recv(65536)
                    peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nline\n\r\n")
                    assert asking.stdout.readline() == "line\n"
                    if not is_broken:
                        asking.send_signal(signal.SIGINT)
                        asking.wait(60)
                errors = asking.communicate(timeout=60)[1]
            said = f"the monitor at {url} broke off" if is_broken else ""
            assert said in errors
            assert "Traceback" not in errors
            assert "Aborted" not in errors
            assert asking.returncode == (1 if is_broken else 130)


def test_a_service_is_restarted_and_its_logs_are_read(docker: Engine, tmp_path: Path) -> None:
    with watched(docker, tmp_path, FKS_MONITOR_API_KEY="right") as one:
        refused = run(one, "restart", "api")
        assert (refused.returncode, "set FKS_MONITOR_API_KEY" in refused.stderr) == (1, True)
        (tmp_path / "key").write_text("right\n")
        done = run(one, "restart", "api", "--key-file", str(tmp_path / "key"))
        assert done.returncode == 0, done.stderr
        assert re.fullmatch(r"api: restarted, well after \d+\.\d s\n", done.stdout)
        docker.docker("exec", "fks_api", "sh", "-c", "echo hello > /proc/1/fd/1")
        wait_for(lambda: one.request("/api/services/api/logs?tail=1", x_api_key="right")[2] == b"hello\n")
        read = run(one, "logs", "api", "--tail", "1", FKS_MONITOR_API_KEY="right")
        assert (read.returncode, read.stdout) == (0, "hello\n")


def test_a_key_of_ones_own_has_its_scope_is_taken_up_and_ends(tmp_path: Path) -> None:
    config = tmp_path / "monitor.toml"
    config.write_text("")
    with monitor("--config", str(config)) as one:
        assert one.request("/api/jobs")[0] == 200
        made = run(one, "keys", "new", "grafana", "--expires", "90d")
        key, table = made.stdout.strip(), made.stderr[made.stderr.index("[[api_keys]]") :]
        assert key.startswith("fks_")
        assert key not in table
        config.write_text(table)
        wait_for(lambda: one.request("/api/jobs")[0] == 401)
        assert one.request("/api/jobs", x_api_key=key)[0] == 200
        assert one.request("/api/silences", "POST", {}, x_api_key=key)[0] == 403
        assert one.request("/api/jobs", x_api_key=f"{key}x")[0] == 401
        config.write_text(table.replace(table[table.index("expires") :], 'expires = "2020-01-01T00:00:00Z"\n'))
        wait_for(lambda: one.request("/api/jobs", x_api_key=key)[0] == 401)
        assert key not in one.request("/api/audit", x_api_key=key)[2].decode()


@pytest.mark.parametrize("arguments", [("a b",), ("a", "--expires", "soon"), ("a", "--scope", "root")])
def test_a_bad_key_is_not_made(arguments: tuple[str, ...]) -> None:
    done = run("http://127.0.0.1:1", "keys", "new", *arguments)
    assert (done.returncode, done.stdout) == (2, "")


def test_alerts_are_listed_taken_in_hand_and_silenced(tmp_path: Path) -> None:
    receiver = Receiver()
    with fleet() as fks, monitor("--config", str(told(fks, receiver, tmp_path))) as one:
        wait_for(lambda: all_seen(one))
        calm = run(one, "alerts", "list")
        assert (calm.returncode, calm.stdout) == (0, "no alerts\n")
        fks.behave("fks_worker", "error")
        wait_for(lambda: receiver.events)
        found = run(one, "alerts", "list")
        assert (found.returncode, found.stdout.splitlines()[-1]) == (1, "1 open")
        assert "ServiceDown:fks_worker" in found.stdout
        done = run(one, "alerts", "ack", "ServiceDown:fks_worker", "--by", "anna")
        assert (done.returncode, done.stdout) == (0, "ServiceDown:fks_worker: in hand of anna\n")
        assert run(one, "alerts", "ack", "ServiceDown:nobody").returncode == 1
        made = run(one, "alerts", "silence", "service_id=fks_a*", "--for", "2h", "--comment", "moving", "--json")
        silence = json.loads(made.stdout)
        assert (silence["matchers"], silence["comment"]) == ({"service_id": "fks_a*"}, "moving")
        listed = json.loads(run(one, "alerts", "list", "--json").stdout)
        assert [each["id"] for each in listed["silences"]] == [silence["id"]]
        assert run(one, "alerts", "unsilence", silence["id"]).stdout == f"{silence['id']}: ended\n"
        assert one.get("/api/silences") == []
        tested = run(one, "alerts", "test", "webhook")
        assert (tested.returncode, tested.stdout) == (0, "webhook: taken: HTTP 200\n")
        receiver.status = 404
        assert run(one, "alerts", "test", "webhook").returncode == 1
        assert "known: webhook" in run(one, "alerts", "test", "nobody").stderr


@pytest.mark.parametrize("arguments", [("service_id", "--for", "1h"), ("a=b", "--for", "soon"), ("a=b",)])
def test_a_bad_silence_is_not_sent(arguments: tuple[str, ...]) -> None:
    done = run("http://127.0.0.1:1", "alerts", "silence", *arguments)
    assert (done.returncode, done.stdout) == (2, "")


def test_maintenance_is_planned_listed_and_ended() -> None:
    with fleet() as fks, monitor("--config", str(fks.config)) as one:
        assert run(one, "alerts", "maintenance").stdout == "nothing is planned\n"
        arguments = ("moving the disk", "--for", "2h", "--service", "fks_data")
        made = json.loads(run(one, "alerts", "maintenance", *arguments, "--json").stdout)
        assert (made["name"], made["services"]) == ("moving the disk", ["fks_data"])
        listed = run(one, "alerts", "maintenance").stdout
        assert listed.startswith(f"{made['id']} moving the disk: fks_data, ")
        assert listed.endswith(", lasts now\n")
        assert run(one, "alerts", "maintenance", "--end", made["id"]).stdout == f"{made['id']}: ended\n"
        assert one.get("/api/maintenance") == []
        wrong = run(one, "alerts", "maintenance", "x", "--for", "1h", "--service", "fks_dat")
        assert (wrong.returncode, "fks_dat" in wrong.stderr) == (1, True)


def test_a_silence_may_say_more_than_equal() -> None:
    with fleet() as fks, monitor("--config", str(fks.config)) as one:
        arguments = ("service_id=~fks_(api|web)", "severity!=critical", "team=web", "--for", "1h")
        made = json.loads(run(one, "alerts", "silence", *arguments, "--json").stdout)
        assert made["matchers"] == {"team": "web"}
        assert made["where"] == ["service_id=~fks_(api|web)", "severity!=critical"]
        assert "severity!=critical" in run(one, "alerts", "list").stdout
