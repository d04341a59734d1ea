"""Programs that tests need from Debian: installed where we may, else the test says what is missing."""

import os
import random
import shutil
import socket
import subprocess
from functools import cache

import pytest


@cache
def tool(name: str, package: str) -> str:
    """Return the path of the program, installing its package first as root. In CI its absence fails the test."""
    found = shutil.which(name)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(package)
        found = shutil.which(name)
    if found is not None:
        return found
    message = f"{name} is missing: apt-get install {package}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def free_port() -> int:
    """Find a port for a program that cannot take any: below those that the kernel gives to connections meanwhile."""
    for port in random.SystemRandom().sample(range(15000, 30000), 100):
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free")


def _install(package: str) -> None:
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    for command in (["apt-get", "update", "-qq"], install):
        subprocess.run(command, env=environ, capture_output=True, timeout=300, check=False)
