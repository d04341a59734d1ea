"""A world of its own: run under `unshare --net --mount`, it has its own network and its own name server.

Usage: python -m tests.faults.alone network | names
It plays one scene with a real monitor and prints what its receiver was told, as JSON.
"""

import json
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.faults.names import NameServer
from tests.integration.test_webhook import Receiver, all_seen
from tests.process import Monitor, monitor, wait_for

ADDRESSES = [f"10.99.0.{number}" for number in range(1, 5)]
SETTLED_CHECKS = 30


class Well(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def serve(address: str) -> None:
    server = ThreadingHTTPServer((address, 8000), Well)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def config(folder: Path, receiver: Receiver, hosts: list[str]) -> Path:
    lines = [
        "[monitoring]\ncheck_interval_seconds = 0.3\ntimeout_seconds = 0.5\nretry_attempts = 1\nbatch_size = 50",
        f'[alerts]\nconsecutive_failures_threshold = 2\nwebhook_url = "{receiver.url}"',
        '[history]\nurl = "sqlite::memory:"',
    ]
    for number, host in enumerate(hosts):
        lines += [f'[[services]]\nid = "s{number}"\nhealth_endpoint = "http://{host}:8000/"']
        lines += [f"interval_seconds = {0.3 * number + 0.3}"]
    path = folder / "monitor.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


def are_down(one: Monitor, count: int) -> bool:
    return sum(each["is_down"] for each in one.get("/api/services")) >= count


def wait_for_checks(one: Monitor) -> None:
    """Let everybody be asked again and again."""
    until = one.get("/api/metrics")["total_requests"] + SETTLED_CHECKS
    wait_for(lambda: one.get("/api/metrics")["total_requests"] >= until)


def play_network(folder: Path, receiver: Receiver) -> None:
    """Take our addresses away, as when a cable is pulled, and give them back."""
    with monitor("--config", str(config(folder, receiver, ADDRESSES)), folder=folder) as one:
        wait_for(lambda: all_seen(one))
        for address in ADDRESSES:
            ip("addr", "del", f"{address}/32", "dev", "lo")
        wait_for(lambda: are_down(one, 4))
        wait_for_checks(one)
        for address in ADDRESSES:
            ip("addr", "add", f"{address}/32", "dev", "lo")
        wait_for(lambda: all_seen(one))
        wait_for_checks(one)


def play_names(folder: Path, receiver: Receiver) -> None:
    """Let the name server fall silent, while a service by address goes on, and let it speak again."""
    names = NameServer({f"s{number}.test": address for number, address in enumerate(ADDRESSES[:3])})
    resolv = folder / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    subprocess.run(["mount", "--bind", str(resolv), "/etc/resolv.conf"], check=True)
    hosts = ["s0.test", "s1.test", "s2.test", ADDRESSES[3]]
    with monitor("--config", str(config(folder, receiver, hosts)), folder=folder) as one:
        wait_for(lambda: all_seen(one))
        names.is_silent.set()
        wait_for(lambda: are_down(one, 3))
        wait_for_checks(one)
        names.is_silent.clear()
        wait_for(lambda: all_seen(one))
        wait_for_checks(one)


SCENES = {"network": play_network, "names": play_names}


def main(scene: str) -> None:
    ip("link", "set", "lo", "up")
    for address in ADDRESSES:
        ip("addr", "add", f"{address}/32", "dev", "lo")
        serve(address)
    receiver = Receiver()
    with tempfile.TemporaryDirectory() as folder:
        SCENES[scene](Path(folder), receiver)
    each = [one for body in receiver.bodies for one in body.get("events") or [body]]
    print(json.dumps([[one["event_type"], one["service_id"], one["message"]] for one in each]))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(sys.argv[1])
