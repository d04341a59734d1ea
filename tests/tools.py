"""Programs that tests need from Debian: installed where we may, else the test says what is missing."""

import fcntl
import os
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

LOCK = Path(tempfile.gettempdir(), f"fks-master-tests-{os.getuid()}.lock")


@contextmanager
def alone() -> Iterator[None]:
    """Hold off the other workers: a machine can take one installation at a time."""
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@cache
def tool(name: str, package: str) -> str:
    """Return the path of the program, installing its package first as root. In CI its absence fails the test."""
    found = shutil.which(name)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install(package, lambda: shutil.which(name) is not None)
        found = shutil.which(name)
    if found is not None:
        return found
    message = f"{name} is missing: apt-get install {package}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def free_port() -> int:
    """Find a port for a program that cannot take any: below those that the kernel gives to connections meanwhile.

    None is given out twice.
    """
    for port in random.SystemRandom().sample(range(15000, 30000), 1000):
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    raise RuntimeError("no port is free")


_given: set[int] = set()


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def install(package: str, is_there: Callable[[], bool]) -> None:
    """Install a package unless another worker has done so meanwhile."""
    with alone():
        if not is_there():
            _install(package)


def _install(package: str) -> None:
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    apt = ["apt-get", "-qq", "-oAcquire::Retries=3", "-oDPkg::Lock::Timeout=120"]
    for command in (["update"], ["install", "-y", "--no-install-recommends", package]):
        subprocess.run([*apt, *command], env=environ, capture_output=True, timeout=300, check=False)
