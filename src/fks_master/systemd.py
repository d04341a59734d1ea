"""What systemd is told when it started us with Type=notify: ready, alive, reloading, stopping (sd_notify(3))."""

import os
import socket
from collections.abc import Callable, Mapping

from fks_master.clock import Clock


class ServiceManager:
    """Sends lines to the socket that NOTIFY_SOCKET names; where there is none, nothing happens."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._watchdog_seconds = _watchdog_seconds(environ)

    def say(self, line: str) -> None:
        """Send one assignment, such as READY=1. A manager that does not listen is none of our troubles."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as one:
                one.setblocking(False)  # noqa: FBT003 - the socket API is positional
                one.sendto(line.encode(), self._address)
        except OSError:
            return

    async def keep_alive(self, clock: Clock, is_well: Callable[[], bool]) -> None:
        """Call the watchdog off, twice an interval, for as long as we do our job; returns where none is set."""
        while self._watchdog_seconds:
            if is_well():
                self.say("WATCHDOG=1")
            await clock.sleep(self._watchdog_seconds / 2)


def _watchdog_seconds(environ: Mapping[str, str]) -> float:
    """Read WATCHDOG_USEC, unless it is meant for another process (WATCHDOG_PID)."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    text = environ.get("WATCHDOG_USEC", "")
    return int(text) / 1e6 if text.isdecimal() else 0.0
