"""Which containers are we: the one that we run in, and the proxy that carries us to the daemon."""

import ipaddress
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from fks_master.docker.container import Container

_OURS = re.compile(r"/containers/([0-9a-f]{64})/")


def find_our_id(mountinfo: str = "/proc/self/mountinfo") -> str | None:
    """Return the id of the container that we run in; None outside of one."""
    try:
        match = _OURS.search(Path(mountinfo).read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return match[1] if match else None


def has_own_network(interfaces: str = "/sys/class/net") -> bool:
    """Whether `localhost` is a container of its own: all its interfaces have their other end elsewhere."""
    try:
        links = [one for one in Path(interfaces).iterdir() if one.name != "lo"]
        return bool(links) and all((one / "ifindex").read_bytes() != (one / "iflink").read_bytes() for one in links)
    except OSError:
        return False


class Ourselves:
    """Knows us by our id, and the proxy by the address at which we reach the daemon."""

    def __init__(self, our_id: str | None = None, docker_host: str = "") -> None:
        self._our_id = our_id
        self._proxy, self._port = _host_and_port(docker_host)

    def is_we(self, container_id: str) -> bool:
        return self._our_id is not None and container_id == self._our_id

    def why_not(self, container: Container) -> str | None:
        """Say why nobody acts on this container; None: one may."""
        names = {container.name, container.compose_service}
        for one in container.networks.values():
            names |= {one.address, *one.names}
        outside = {port for _, port in container.ports.values()}
        return self.why_not_member(container.id, names) or (self._carries() if self._is_at(outside) else None)

    def why_not_member(self, container_id: str, names: Iterable[str]) -> str | None:
        """Say the same of a container of which only id and names are known."""
        if self.is_we(container_id):
            return "that is FKS Master itself, which does not act on itself"
        return self._carries() if self._proxy and self._proxy in names else None

    def _carries(self) -> str:
        return "that is the proxy by which FKS Master reaches Docker, on which it does not act"

    def _is_at(self, published: set[int]) -> bool:
        return _is_here(self._proxy) and self._port in published


def _host_and_port(docker_host: str) -> tuple[str, int]:
    url = urlsplit(docker_host)
    if url.scheme not in {"tcp", "http", "https"}:
        return "", 0
    try:
        return url.hostname or "", url.port or 2375
    except ValueError:
        return url.hostname or "", 2375


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
