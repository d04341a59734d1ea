"""R22: two instances on one history: one works, the other says that it waits, and takes over."""

import json
import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path

from tests.process import monitor, start, wait_for
from tests.tools import free_port


def asked(address: str) -> tuple[int, dict[str, str]]:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
    except OSError:
        return 0, {}


def test_the_second_says_so_and_takes_over(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text('[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n')
    port = free_port()
    with monitor("--config", "monitor.toml", folder=tmp_path) as first:
        wait_for(lambda: first.status("one") == "Unhealthy")
        with start("--config", "monitor.toml", "--port", str(port), folder=tmp_path, stderr=None) as second:
            address = f"http://127.0.0.1:{port}"
            status, body = wait_for(lambda: (found := asked(f"{address}/health"))[0] and found)
            assert status == 503
            assert "standby" in body["reason"]
            assert asked(f"{address}/api/services")[0] == 503
            assert first.request("/health")[0] == 200
            first.process.kill()
            wait_for(lambda: asked(f"{address}/health")[0] == 200)
            second.terminate()
            assert second.wait(20) == 0


def test_a_standby_ends_when_it_is_told_to_and_is_alive_for_its_manager(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text("")
    with monitor("--config", "monitor.toml", folder=tmp_path), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(tmp_path / "manager"))
        told.settimeout(30)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "manager"), "WATCHDOG_USEC": "200000"}
        with start("--config", "monitor.toml", folder=tmp_path, stderr=None, **environment) as second:
            heard = {told.recv(100)}
            second.send_signal(signal.SIGHUP)
            while len(heard) < 2:
                heard.add(told.recv(100))
            second.terminate()
            assert second.wait(20) == 0
        assert heard == {b"READY=1", b"WATCHDOG=1"}
