import json
import signal
import socket
import time
from pathlib import Path

import pytest
from tests.process import PATIENCE, fleet, monitor, start, wait_for

ONE = '[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\ncritical = true\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "monitor.toml"
    path.write_text(ONE)
    return path


def end_of(folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    with start(*arguments, folder=folder, **environment) as process:
        _, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, errors.decode()


def test_the_start_says_what_is_watched_and_where_to_look(config: Path) -> None:
    with monitor("--config", str(config)) as one:
        assert f"1 service, 1 of them critical, from {config}" in one.log
        assert f"{one.address}/metrics" in one.log
        assert "OPEN" in one.log
        wait_for(lambda: one.status("one") == "Unhealthy")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_code_zero_and_without_a_stack_trace(config: Path, number: int) -> None:
    with monitor("serve", "--config", str(config)) as one:
        begun = time.monotonic()
        assert one.stop(number) == 0
        assert time.monotonic() - begun < 10
        assert "Traceback" not in one.log


def test_a_signal_ends_it_although_checks_hang_and_sockets_are_open() -> None:
    with fleet() as targets, monitor("--config", str(targets.config)) as one:
        targets.behave("fks_api", "hang")
        host, port = one.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as idle:
            idle.sendall(b"GET / HTTP/1.1\r\n")
            time.sleep(0.5)
            assert one.stop() == 0


def test_a_port_in_use_is_said_in_one_line(config: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, errors = end_of(config.parent, "--config", str(config), "--port", str(port))
    assert (code, errors) == (1, f"port {port} is in use by another program; choose another one with --port\n")


def test_a_wrong_config_stops_the_start_with_every_mistake(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('[monitorin]\n[[services]]\nid = "a b"\nhealth_endpoint = "ftp://x"\n')
    code, errors = end_of(tmp_path, "--config", "bad.toml")
    assert code == 1
    assert len(errors.splitlines()) == 3
    assert "monitoring" in errors
    assert "Traceback" not in errors


def test_a_config_that_does_not_exist_stops_the_start(tmp_path: Path) -> None:
    assert end_of(tmp_path, "--config", "no.toml") == (1, "no.toml: no such file\n")


def test_wrong_environment_stops_the_start(config: Path) -> None:
    code, errors = end_of(config.parent, "--config", str(config), FKS_MASTER_PORT="many")
    assert code == 1
    assert "FKS_MASTER_PORT" in errors


def test_without_a_file_the_built_in_services_are_watched() -> None:
    with monitor() as one:
        assert len(one.get("/api/services")) == 11
        assert "built-in FKS services" in one.log


def test_a_changed_file_is_taken_up_and_a_broken_one_is_not(config: Path) -> None:
    with monitor("--config", str(config)) as one:
        config.write_text(ONE + ONE.replace("one", "two"))
        wait_for(lambda: one.status("two") == "Unhealthy")
        config.write_text("[[services]]\nid = 5")
        wait_for(lambda: "config_rejected" in one.log)
        assert [each["id"] for each in one.get("/api/services")] == ["one", "two"]
        config.write_text(ONE.replace("one", "three"))
        one.process.send_signal(signal.SIGHUP)
        wait_for(lambda: one.status("three") == "Unhealthy")
        assert [each["id"] for each in one.get("/api/services")] == ["three"]
        assert 'service_id="one"' not in one.request("/metrics")[2].decode()


def test_logs_are_json_where_asked(config: Path) -> None:
    with monitor("--config", str(config), FKS_JSON_LOG="1") as one:
        config.write_text("nonsense")
        line = wait_for(lambda: next((line for line in one.log.splitlines() if "config_rejected" in line), ""))
    said = json.loads(line)
    assert (said["event"], said["level"]) == ("config_rejected", "error")


def test_systemd_is_told(config: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        with monitor("--config", str(config), NOTIFY_SOCKET=str(tmp_path / "notify")) as one:
            assert manager.recv(100) == b"READY=1"
            one.stop()
        assert manager.recv(100) == b"STOPPING=1"


def test_the_watchdog_of_systemd_is_fed(config: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        where = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
        with monitor("--config", str(config), **where) as one:
            heard = {manager.recv(100) for _ in range(4)}
            assert one.stop() == 0
    assert heard == {b"READY=1", b"WATCHDOG=1"}


def seconds_to_stop() -> float:
    with fleet() as targets, monitor("--config", str(targets.config)) as one:
        wait_for(lambda: {each["status"] for each in one.get("/api/services")} == {"Healthy"})
        begun = time.monotonic()
        assert one.stop() == 0
        return time.monotonic() - begun


def test_with_nothing_pending_it_ends_within_two_seconds() -> None:
    """A loaded machine may be late itself, but not every time."""
    assert any(seconds_to_stop() < 2 for _ in range(4))


def test_help_teaches(tmp_path: Path) -> None:
    with start("--help", folder=tmp_path) as process:
        assert process.wait(PATIENCE) == 0
