"""S11: what a WebSocket client may not do to us, and to others."""

import json
import resource
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.process import PATIENCE, Monitor, monitor, wait_for
from tests.security.test_s9_slow_clients import address, config
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from fks_master.api.live import MAX_CLIENTS

STALLED = 10.0


def test_a_giant_frame_ends_its_connection_and_no_other(tmp_path: Path) -> None:
    with monitor("--config", str(config(tmp_path))) as one:
        where = one.address.replace("http", "ws") + "/ws"
        with connect(where) as good, connect(where) as bad:
            good.recv(PATIENCE)
            bad.recv(PATIENCE)
            bad.send('{"command_type":"' + "x" * 1_000_000 + '"}')
            with pytest.raises(ConnectionClosed):
                read_to_the_end(bad)
            assert bad.close_code == 1009
            good.send('{"command_type":"clear_subscription"}')
            assert kind_of_next(good) == "subscription_cleared"


def read_to_the_end(live: ClientConnection) -> None:
    while True:
        live.recv(PATIENCE)


def kind_of_next(live: ClientConnection) -> str:
    while (kind := json.loads(live.recv(PATIENCE))["type"]) in {"event", "update", "change"}:
        pass
    return kind


def test_a_bomb_in_a_compressed_frame_ends_its_connection_and_fills_no_memory(tmp_path: Path) -> None:
    with monitor("--config", str(config(tmp_path))) as one:
        before = memory(one)
        with connect(feed(one), compression="deflate") as bad:
            bad.recv(PATIENCE)
            bad.send('{"command_type":"' + "0" * 100_000_000 + '"}')
            with pytest.raises(ConnectionClosed):
                read_to_the_end(bad)
            assert bad.close_code == 1009
        assert memory(one) < before + 30_000


def feed(one: Monitor) -> str:
    return one.address.replace("http", "ws") + "/ws"


def memory(one: Monitor) -> int:
    """Give the most memory that the monitor has had, in kB."""
    status = Path(f"/proc/{one.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def test_a_flood_of_commands_is_answered_with_no_and_slows_nobody(tmp_path: Path) -> None:
    with monitor("--config", str(config(tmp_path))) as one:
        with connect(feed(one)) as live:
            live.recv(PATIENCE)
            began = time.monotonic()
            for _ in range(2000):
                live.send('{"command_type":"get_service_details","service_id":"s0"}')
            answers = [kind_of_next(live) for _ in range(2000)]
            seconds = time.monotonic() - began
            assert answers.count("service_details") <= 20 * (seconds + 2)
            assert answers.count("error") + answers.count("service_details") == 2000
        assert one.request("/health")[0] == 200


def test_a_flood_that_nobody_reads_slows_no_other_and_is_dropped(tmp_path: Path) -> None:
    with monitor("--config", str(config(tmp_path))) as one, socket.socket() as flood, connect(feed(one)) as good:
        good.recv(PATIENCE)
        flood.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        shake_hands(flood, one)
        flood.settimeout(0.05)
        before, began, slowest = memory(one), time.monotonic(), 0.0
        frame = b"\x81\xfe\xea\x60" + bytes(4) + b"x" * 60_000
        while time.monotonic() - began < STALLED + 10:
            try:
                flood.sendall(frame)
            except TimeoutError:
                pass
            except OSError:
                break
            asked = time.monotonic()
            good.send('{"command_type":"clear_subscription"}')
            kind_of_next(good)
            slowest = max(slowest, time.monotonic() - asked)
            time.sleep(0.06)  # a well-behaved client keeps to 20 commands a second
        assert time.monotonic() - began < STALLED + 9
        assert slowest < 5
        assert memory(one) < before + 30_000


def test_there_is_a_limit_to_the_number_of_feeds(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    with monitor("--config", str(config(tmp_path))) as one, ExitStack() as stack:
        for _ in range(MAX_CLIENTS):
            shake_hands(stack.enter_context(socket.socket()), one)
        wait_for(lambda: clients(one) == MAX_CLIENTS)
        with connect(feed(one)) as surplus:
            with pytest.raises(ConnectionClosed):
                read_to_the_end(surplus)
            assert surplus.close_code == 1013
        assert one.request("/health")[0] == 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def shake_hands(client: socket.socket, one: Monitor) -> None:
    client.connect(address(one))
    client.sendall(
        b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )


def clients(one: Monitor) -> int:
    text = one.request("/metrics")[2].decode()
    line = next(line for line in text.splitlines() if line.startswith("fks_websocket_connections_active "))
    return int(float(line.split()[1]))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"command_type":5}', "[" * 5000, '{"command_type":"\\ud800"}', "\0"])
def test_nonsense_is_answered_never_met_with_silence(tmp_path: Path, text: str) -> None:
    with (
        monitor("--config", str(config(tmp_path))) as one,
        connect(one.address.replace("http", "ws") + "/ws") as live,
    ):
        live.recv(PATIENCE)
        live.send(text)
        assert kind_of_next(live) == "error"


def test_a_client_that_never_reads_is_dropped_and_the_others_are_told(tmp_path: Path) -> None:
    with monitor("--config", str(config(tmp_path, 2000))) as one, socket.socket() as stalled:
        wait_for(lambda: "Unknown" not in {each["status"] for each in one.get("/api/services")}, 60)
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        began = time.monotonic()
        shake_hands(stalled, one)
        wait_for(lambda: clients(one) == 1)
        wait_for(lambda: clients(one) == 0, 30)
        assert time.monotonic() - began < STALLED + 9
        with connect(one.address.replace("http", "ws") + "/ws") as live:
            assert json.loads(live.recv(PATIENCE))["type"] == "initial"
