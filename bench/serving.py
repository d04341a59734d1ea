"""How the monitor serves while it watches many: `python -m bench.serving`.

10,000 services every 10 s in one process: processor and lateness. `/metrics` and `/api/services`, and how long anything
else has to wait meanwhile. 500 clients of the live feed, and one service that goes down.
"""

import re
import select
import socket
import subprocess
import sys
import time
import urllib.request

from bench.checks import cpu_seconds
from bench.stage import remembering
from tests.process import Fleet, Monitor, fleet, monitor, wait_for

MANY = 10_000
CLIENTS = 500
SECONDS = 30.0


def fetched(one: Monitor, path: str, times: int = 9) -> tuple[float, int]:
    """Return the median milliseconds, and the bytes."""
    took, size = [], 0
    for _ in range(times):
        began = time.perf_counter()
        with urllib.request.urlopen(one.address + path, timeout=60) as answer:
            size = len(answer.read())
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)[times // 2], size


PING = """
import http.client, sys, time
asked = http.client.HTTPConnection(sys.argv[1]); longest = 0.0; end = time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    began = time.perf_counter()
    asked.request("GET", "/health"); asked.getresponse().read()
    longest = max(longest, time.perf_counter() - began)
print(longest * 1000)
"""  # in a process of its own, so that it waits for the monitor alone


def longest_wait(one: Monitor, path: str) -> float:
    """Ask for a small thing again and again while a large one is made: the longest answer, in milliseconds."""
    command = [sys.executable, "-c", PING, one.address.partition("://")[2], "4"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as pinging:
        assert pinging.stdout
        for _ in range(3):
            time.sleep(0.5)
            fetched(one, path, times=1)
        return float(pinging.stdout.read())


def late_share(one: Monitor, seconds: float) -> tuple[int, int]:
    """Return how many checks began at most so late, and how many in all."""
    text = one.request("/metrics")[2].decode()
    name = "fks_monitor_check_lateness_seconds"
    within = re.search(rf'{name}_bucket{{le="{seconds}"}} (\d+)', text)
    every = re.search(rf"{name}_count (\d+)", text)
    assert within
    assert every
    return int(within[1]), int(every[1])


def watch_many(one: Monitor, targets: Fleet) -> None:
    wait_for(lambda: one.get("/api/metrics")["healthy_services"] == MANY, 120)
    time.sleep(12)
    asked, cpu, (within, every) = targets.requests, cpu_seconds(one.process.pid), late_share(one, 0.1)
    time.sleep(SECONDS)
    share = (cpu_seconds(one.process.pid) - cpu) / SECONDS
    later_within, later_every = late_share(one, 0.1)
    rate = (targets.requests - asked) / SECONDS
    on_time = (later_within - within) / max(1, later_every - every)
    print(f"| 10,000 services every 10 s: {rate:.0f} checks/s | {share:.1%} of a core | 20 % |")
    print(f"| checks that began at most 100 ms late | {on_time:.2%} | 99 % |")


def connect(port: int) -> socket.socket:
    """Open `/ws` by hand: a client that reads next to nothing costs next to nothing."""
    one = socket.create_connection(("127.0.0.1", port))
    lines = [
        "GET /ws HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ]
    one.sendall("\r\n".join([*lines, "", ""]).encode())
    read_until(one, b'"initial"')
    command = b'{"command_type":"subscribe_changes"}'
    one.sendall(bytes([0x81, 0x80 | len(command), 0, 0, 0, 0]) + command)
    read_until(one, b"subscription_confirmed")
    return one


def read_until(one: socket.socket, mark: bytes) -> None:
    read = b""
    while mark not in read:
        read = read[-100:] + one.recv(1 << 20)


def take(one: socket.socket) -> bytes:
    """Read what is there, and answer a ping in it: who does not is taken for one that never reads."""
    data = one.recv(1 << 20)
    assert data, "the monitor has closed the connection"
    ping = data.find(b"\x89\x04")
    if ping >= 0:
        one.sendall(b"\x8a\x84" + bytes(4) + data[ping + 2 : ping + 6])
    return data


def tell_all(one: Monitor, targets: Fleet) -> float:
    """Return the milliseconds between the first and the last of 500 clients hearing that a service went down."""
    clients = [connect(int(one.address.rpartition(":")[2])) for _ in range(CLIENTS)]
    waiting = select.epoll()
    by_number = {each.fileno(): each for each in clients}
    for each in clients:
        waiting.register(each, select.EPOLLIN)
    targets.behave("fks_api", "error")
    heard: list[float] = []
    while by_number:
        for number, _ in waiting.poll(30):
            if b"StatusChanged" in take(by_number[number]):
                heard.append(time.perf_counter())
                waiting.unregister(number)
                by_number.pop(number)
    for each in clients:
        each.close()
    return (heard[-1] - heard[0]) * 1000


def main() -> None:
    print("| what | measured | bar |\n|---|---|---|")
    bars = {("/metrics", 1000): "10 ms", ("/api/services", 1000): "3 ms"}
    for size in (1000, MANY):
        with fleet(size, 10.0) as targets, monitor("--config", remembering(targets)) as one:
            wait_for(lambda size=size, one=one: one.get("/api/metrics")["healthy_services"] == size, 120)
            for path in ("/metrics", "/api/services"):
                took, weight = fetched(one, path)
                waited = longest_wait(one, path)
                said = f"{took:.1f} ms, {weight / 1000:.0f} kB; longest wait of others {waited:.0f} ms"
                print(f"| `{path}` at {size:,} services | {said} | {bars.get((path, size), 'others: 50 ms')} |")
            if size == MANY:
                watch_many(one, targets)
    with fleet(11, 1.0) as targets, monitor("--config", remembering(targets)) as one:
        wait_for(lambda: one.get("/api/metrics")["healthy_services"] == 11)
        print(f"| one change, first to last of {CLIENTS} clients | {tell_all(one, targets):.0f} ms | 150 ms |")


if __name__ == "__main__":
    main()
