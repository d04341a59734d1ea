"""S11: what a WebSocket client may not do to us, and to others."""

import json
import socket
import time
from pathlib import Path

import pytest
from tests.process import PATIENCE, monitor, wait_for
from tests.security.test_s9_slow_clients import address, config
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect


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


def test_a_flood_of_commands_is_answered_with_no_and_slows_nobody(tmp_path: Path) -> None:
    with monitor("--config", str(config(tmp_path))) as one:
        with connect(one.address.replace("http", "ws") + "/ws") as live:
            live.recv(PATIENCE)
            for _ in range(500):
                live.send('{"command_type":"get_service_details","service_id":"s0"}')
            answers = [kind_of_next(live) for _ in range(500)]
            began = time.monotonic()
            assert one.request("/health")[0] == 200
            assert time.monotonic() - began < 5
        assert "error" in answers
        assert answers.count("service_details") <= 20 * 30


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
        stalled.connect(address(one))
        stalled.sendall(
            b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )

        def clients() -> str:
            text = one.request("/metrics")[2].decode()
            return next(line for line in text.splitlines() if line.startswith("fks_websocket_connections_active "))

        wait_for(lambda: clients().endswith(" 1"))
        wait_for(lambda: clients().endswith(" 0"), 55)
        with connect(one.address.replace("http", "ws") + "/ws") as live:
            assert json.loads(live.recv(PATIENCE))["type"] == "initial"
