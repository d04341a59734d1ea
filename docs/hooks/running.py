"""The real program, run for a moment to ask it what it has."""

import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

SPEAKS_FOR_US = ("FKS_", "RUST_LOG", "OTEL_", "DOCKER_", "NOTIFY_SOCKET")
CONFIG = """
[[services]]
id = "example"
health_endpoint = "http://127.0.0.1:9/health"
[alerts]
webhook_url = "http://127.0.0.1:9/"
"""


class Program(NamedTuple):
    """Where it listens."""

    address: str

    def text(self, path: str) -> str:
        with urllib.request.urlopen(self.address + path, timeout=20) as answer:
            found: str = answer.read().decode()
        return found

    def get(self, path: str) -> Any:
        return json.loads(self.text(path))


@contextmanager
def program() -> Iterator[Program]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(SPEAKS_FOR_US)}
    command = [sys.executable, "-m", "fks_master", "--port", "0", "--config", "monitor.toml"]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "monitor.toml").write_text(CONFIG)
        process = subprocess.Popen(
            command, cwd=folder, env=clean, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        try:
            yield Program(_address(process))
        finally:
            process.terminate()
            process.communicate()


def _address(process: "subprocess.Popen[str]") -> str:
    said = ""
    for line in process.stderr or ():
        said += line
        if found := re.search(r"dashboard\s+(\S+)", line):
            return found[1]
    raise RuntimeError(f"the program did not start: {said}")
