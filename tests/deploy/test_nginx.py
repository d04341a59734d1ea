"""Debian's nginx before the monitor, with the shipped configuration."""

import asyncio
import json
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.process import PATIENCE, Monitor, monitor, wait_for
from tests.servers import make_certificate
from tests.tools import free_port, tool
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx" / "fks_master.conf"
KEY = "correct horse battery staple"
FRAME = """daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    {temporary}
    include {folder}/site.conf;
}}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextmanager
def nginx(upstream: str, folder: Path) -> Iterator[int]:
    """Run nginx with the shipped file, on another port and with a certificate for this machine; gives its port."""
    certificate, key = make_certificate(folder)
    port = free_port()
    changes = {
        "listen 443": f"listen 127.0.0.1:{port}",
        "http://127.0.0.1:9090": upstream,
        "/etc/ssl/monitor.example.pem": str(certificate),
        "/etc/ssl/monitor.example.key": str(key),
    }
    site = SHIPPED.read_text()
    for old, new in changes.items():
        assert old in site
        site = site.replace(old, new)
    (folder / "site.conf").write_text(site)
    temporary = " ".join(f"{each}_temp_path {folder}/{each};" for each in TEMPORARY)
    (folder / "nginx.conf").write_text(FRAME.format(folder=folder, temporary=temporary))
    program = tool("nginx", "nginx-light")
    with subprocess.Popen([program, "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]) as process:
        try:
            wait_for(lambda: is_listening(port))
            yield port
        finally:
            process.terminate()


def is_listening(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Door(Monitor):
    """The monitor as it is seen through the proxy."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.address = f"https://{self.host}"

    def connect(self, origin: str) -> str:
        return asyncio.run(self._connect(origin))

    async def _connect(self, origin: str) -> str:
        where = f"wss://{self.host}/ws"
        async with (
            asyncio.timeout(PATIENCE),
            connect(where, ssl=unverified(), origin=Origin(origin), open_timeout=PATIENCE) as feed,
        ):
            kind: str = json.loads(await feed.recv())["type"]
            return kind

    def restart(self, origin: str, key: str = KEY) -> int:
        command = ["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", "-m", "30"]
        headers = ["-H", f"Origin: {origin}", "-H", f"x-api-key: {key}", "-H", "X-Forwarded-For: 8.8.8.8"]
        done = subprocess.run(
            [*command, *headers, f"{self.address}/api/services/one/restart"], capture_output=True, text=True, check=True
        )
        return int(done.stdout)


def config(folder: Path, *lines: str) -> str:
    path = folder / "monitor.toml"
    service = ["[[services]]", 'id = "one"', 'health_endpoint = "http://127.0.0.1:9/health"']
    path.write_text("\n".join([*lines, *service]))
    return str(path)


def test_a_trusted_proxy_lets_the_page_watch_and_act_and_its_clients_are_told_apart(tmp_path: Path) -> None:
    file = config(tmp_path, "[server]", 'trusted_proxies = ["127.0.0.1"]')
    with (
        monitor("--config", file, folder=tmp_path, FKS_MONITOR_API_KEY=KEY) as one,
        nginx(one.address, tmp_path) as port,
    ):
        door = Door(port)
        assert door.connect(door.address) == "initial"
        assert door.restart(door.address) == 409  # let in; there is no container
        assert door.restart(door.address, "wrong") == 401
        trail = json.loads(one.request("/api/audit", x_api_key=KEY)[2])
        assert {each["address"] for each in trail} == {"127.0.0.1"}  # nginx replaces what the client claims


def test_a_foreign_page_is_refused_through_the_proxy_too(tmp_path: Path) -> None:
    file = config(tmp_path, "[server]", 'trusted_proxies = ["127.0.0.1"]')
    with (
        monitor("--config", file, folder=tmp_path, FKS_MONITOR_API_KEY=KEY) as one,
        nginx(one.address, tmp_path) as port,
    ):
        door = Door(port)
        with pytest.raises(InvalidStatus, match="403"):
            door.connect("https://evil.example")
        assert door.restart("https://evil.example") == 403


def test_without_trust_the_page_is_refused_for_its_scheme(tmp_path: Path) -> None:
    file = config(tmp_path)
    with (
        monitor("--config", file, folder=tmp_path, FKS_MONITOR_API_KEY=KEY) as one,
        nginx(one.address, tmp_path) as port,
    ):
        door = Door(port)
        assert door.restart(door.address) == 403


@pytest.mark.parametrize(("trusted", "status"), [('["127.0.0.1"]', 409), ('["192.0.2.1"]', 403)])
def test_without_a_credential_changes_come_through_a_trusted_proxy_alone(
    tmp_path: Path, trusted: str, status: int
) -> None:
    file = config(tmp_path, "[server]", f"trusted_proxies = {trusted}")
    with monitor("--config", file, folder=tmp_path) as one, nginx(one.address, tmp_path) as port:
        door = Door(port)
        assert door.restart(door.address) == status


def test_the_shipped_file_is_the_one_that_the_documentation_shows() -> None:
    page = (SHIPPED.parents[2] / "docs" / "howto" / "behind-a-proxy.md").read_text()
    assert re.search(r'--8<-- "deploy/nginx/fks_master.conf"', page)
