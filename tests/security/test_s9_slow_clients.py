"""S9: clients that are slow in every way are closed in time, and nobody else notices."""

import contextlib
import socket
import ssl
import statistics
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

from tests.faults.ledger import ledger
from tests.process import Monitor, monitor, wait_for
from tests.servers import make_certificate
from tests.tools import tool

CLOSED_WITHIN = 20.0
INTERVAL = 0.5


def address(one: Monitor) -> tuple[str, int]:
    host, _, port = one.address.rpartition("//")[2].rpartition(":")
    return host, int(port)


def config(folder: Path, count: int = 1) -> Path:
    path = folder / "monitor.toml"
    services = (f'[[services]]\nid = "s{n}"\nhealth_endpoint = "http://127.0.0.1:1/"\n' for n in range(count))
    path.write_text("".join(services))
    return path


def seconds_until_closed(client: socket.socket, began: float) -> float:
    client.settimeout(0.02)
    while time.monotonic() - began < CLOSED_WITHIN + 10:
        try:
            if not client.recv(65536):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - began


SLOW = {
    "says nothing": b"",
    "stops in the head": b"GET /health HTTP/1.1\r\nHost: 127",
    "stops in the body": b"POST /api/silences HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500\r\n\r\n{",
    "only blank lines": b"\r\n",
    "idle after an answer": b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "stops in the handshake": b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
}


def test_five_hundred_slow_clients_are_closed_while_others_are_served_and_checks_are_on_time(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    with ledger() as asked:
        path.write_text(
            f"[monitoring]\ncheck_interval_seconds = {INTERVAL}\n"
            f'[[services]]\nid = "s0"\nhealth_endpoint = "{asked.address}/s0"\n'
        )
        with monitor("--config", str(path)) as one, ExitStack() as stack:
            wait_for(lambda: len(asked.entries) >= 2)
            began = time.monotonic()
            clients = []
            for number in range(500):
                name = list(SLOW)[number % len(SLOW)]
                client = stack.enter_context(socket.create_connection(address(one), timeout=5))
                client.sendall(SLOW[name])
                clients.append((name, client))
            trickling = stack.enter_context(socket.create_connection(address(one), timeout=5))
            trickling.sendall(b"GET /health HTTP/1.1\r\nX-Slow: ")
            answered = serve_others(one, trickling, began + 11)
            for name, client in clients:
                assert seconds_until_closed(client, began) < CLOSED_WITHIN, name
            assert seconds_until_closed(trickling, began) < CLOSED_WITHIN
            assert statistics.median(answered) < 0.5
            assert max(answered) < 5
            moments = [at for at in asked.moments("s0") if at > began]
    assert max(later - earlier for earlier, later in pairwise(moments)) < INTERVAL + 3
    assert len(moments) > 11 / INTERVAL / 3


def serve_others(one: Monitor, trickling: socket.socket, until: float) -> list[float]:
    """Ask as a good client does, and let a slow one send another byte each time."""
    answered = []
    while time.monotonic() < until:
        asked = time.monotonic()
        assert one.request("/health")[0] == 200
        answered.append(time.monotonic() - asked)
        with contextlib.suppress(OSError):
            trickling.sendall(b"x")
        time.sleep(0.2)
    return answered


def test_who_does_not_read_the_answer_is_dropped(tmp_path: Path) -> None:
    with monitor("--config", str(config(tmp_path, 2000))) as one, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(address(one))
        wait_for(lambda: len(one.request("/metrics")[2]) > 1_000_000)
        for _ in range(40):
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        peer = f":{client.getsockname()[1]}"

        def is_gone() -> bool:
            found = subprocess.run([tool("ss", "iproute2"), "-Htn"], capture_output=True, text=True, check=True).stdout
            return not any(line.rstrip().endswith(peer) for line in found.splitlines())

        wait_for(is_gone, 25)
        assert one.request("/health")[0] == 200


def test_a_head_without_end_is_refused(tmp_path: Path) -> None:
    with monitor("--config", str(config(tmp_path))) as one, socket.create_connection(address(one), timeout=5) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        answer = b""
        try:
            for number in range(4000):
                client.sendall(b"X-%d: %s\r\n" % (number, b"y" * 100))
            answer = client.recv(1000)
        except OSError:
            pass  # closed while we still wrote
        assert answer == b"" or b" 431 " in answer
        assert one.request("/health")[0] == 200


def test_tls_handshakes_that_stall_are_closed(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    where = {"FKS_TLS_CERT": str(certificate), "FKS_TLS_KEY": str(key)}
    with monitor("--config", str(config(tmp_path)), **where) as one, ExitStack() as stack:
        began = time.monotonic()
        clients = [stack.enter_context(socket.create_connection(address(one), timeout=5)) for _ in range(100)]
        for number, client in enumerate(clients):
            client.sendall((b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n")[number % 3])
        trusting = ssl.create_default_context(cafile=str(certificate))
        with urllib.request.urlopen(f"{one.address}/health", context=trusting, timeout=20) as answer:
            assert answer.status == 200
        for client in clients:
            assert seconds_until_closed(client, began) < CLOSED_WITHIN
