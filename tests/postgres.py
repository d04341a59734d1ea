"""A PostgreSQL of our own: a fresh cluster in a folder of its own, gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.tools import free_port, install


def binaries() -> Path:
    """Where the server's programs lie; installed first where we may. In CI their absence fails the test."""
    if not (found := _found()) and os.geteuid() == 0:
        install("postgresql", lambda: _found() is not None)
        found = _found()
    if found:
        return found
    message = "PostgreSQL is missing: apt-get install postgresql"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def _found() -> Path | None:
    servers = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    return servers[-1].parent if servers else None


class Cluster:
    """One server; `stop` and `start` as a test wants."""

    def __init__(self, programs: Path, folder: Path, port: int) -> None:
        self._programs = programs
        self._folder = folder
        self._port = port
        self.url = f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def run(self, program: str, *args: str) -> None:
        command = [str(self._programs / program), *args]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, timeout=60, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def create(self) -> None:
        self.run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C")

    def start(self) -> None:
        options = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1 -F"
        self.run("pg_ctl", "-D", self._data, "-w", "-o", options, "-l", f"{self._folder}/log", "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    @property
    def _data(self) -> str:
        return f"{self._folder}/data"


@contextmanager
def cluster() -> Iterator[Cluster]:
    programs = binaries()
    folder = Path(tempfile.mkdtemp(prefix="fks-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
    one = Cluster(programs, folder, free_port())
    try:
        one.create()
        one.start()
        yield one
    finally:
        subprocess.run(
            [*(["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []),
             str(programs / "pg_ctl"), "-D", f"{folder}/data", "-m", "immediate", "stop"],
            check=False, cwd="/", capture_output=True, timeout=60,
        )  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)
