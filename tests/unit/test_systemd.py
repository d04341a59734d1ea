import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fks_master.clock import SystemClock
from fks_master.systemd import ServiceManager


@pytest.fixture
def manager_socket(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind(str(tmp_path / "notify"))
        one.settimeout(10)
        yield one


def test_a_line_reaches_the_manager(manager_socket: socket.socket) -> None:
    ServiceManager({"NOTIFY_SOCKET": manager_socket.getsockname()}).say("READY=1")
    assert manager_socket.recv(100) == b"READY=1"


def test_an_abstract_socket_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind("\0fks-master-test")
        ServiceManager({"NOTIFY_SOCKET": "@fks-master-test"}).say("STOPPING=1")
        assert one.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/nowhere/at/all"}])
def test_without_a_manager_nothing_happens(environ: dict[str, str]) -> None:
    ServiceManager(environ).say("READY=1")


async def test_the_watchdog_is_fed_only_while_we_do_our_job(manager_socket: socket.socket) -> None:
    environ = {"NOTIFY_SOCKET": manager_socket.getsockname(), "WATCHDOG_USEC": "20000"}
    answers = iter([True, False, False, True])
    asked = []

    def is_well() -> bool:
        asked.append(next(answers, None))
        if asked[-1] is None:
            raise asyncio.CancelledError
        return bool(asked[-1])

    with pytest.raises(asyncio.CancelledError):
        await ServiceManager(environ).keep_alive(SystemClock(), is_well)
    assert manager_socket.recv(100) == b"WATCHDOG=1"
    assert manager_socket.recv(100) == b"WATCHDOG=1"
    manager_socket.setblocking(False)  # noqa: FBT003
    with pytest.raises(BlockingIOError):
        manager_socket.recv(100)


@pytest.mark.parametrize("more", [{}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}])
async def test_no_watchdog_of_ours_needs_no_feeding(more: dict[str, str]) -> None:
    await ServiceManager(more).keep_alive(SystemClock(), lambda: True)
