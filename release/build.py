"""Builds what is published, and tries it: `python -m release.build [FOLDER]`, or `make dist`.

1. source distribution and wheel, the dashboard inside; a wheel built from the former, without Node, is the same;
2. the wheel into an empty environment with the locked packages, where its smoke test runs;
3. the bill of materials beside them.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
import venv
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from release.parts import ROOT
from release.sbom import sbom

MOST_BYTES = 1_500_000
SECONDS = 60
ADDRESS = re.compile(r"dashboard\s+(\S+)")


def main(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _build(ROOT, folder)
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    version = wheel.name.split("-")[1]
    _check_wheel(wheel)
    _check_source(source, wheel)
    with tempfile.TemporaryDirectory() as empty:
        _smoke(_install(wheel, Path(empty)), version, Path(empty))
    bill = folder / f"fks_master-{version}.cdx.json"
    bill.write_text(sbom(version, datetime.fromtimestamp(_moment(), UTC)))
    for file in (source, wheel, bill):
        print(f"{file.name}  {file.stat().st_size / 1000:.0f} kB")


def _moment() -> int:
    """Return the moment of the last commit: the same commit gives the same files."""
    done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    return int(done.stdout or 0) or int(time.time())


def _build(project: Path, folder: Path, *targets: str) -> None:
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(_moment())}
    chosen = [word for target in targets for word in ("--target", target)]
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder.absolute()), *chosen]
    subprocess.run(command, cwd=project, env=environment, check=True, stdout=subprocess.DEVNULL)


def _check_wheel(wheel: Path) -> None:
    size = wheel.stat().st_size
    if size > MOST_BYTES:
        sys.exit(f"{wheel.name} is {size} bytes, and may be {MOST_BYTES}")
    names = _content(wheel)
    for wanted in ("api/static/app/index.html", "licenses/LICENSE", "history/sql/incidents.sql"):
        if not any(name.endswith(wanted) for name in names):
            sys.exit(f"{wheel.name} has no {wanted}")


def _content(wheel: Path) -> dict[str, int]:
    with zipfile.ZipFile(wheel) as opened:
        return {one.filename: one.CRC for one in opened.infolist()}


def _check_source(source: Path, wheel: Path) -> None:
    """Build a wheel from the source distribution, where neither Node nor Git is, and compare."""
    with tempfile.TemporaryDirectory() as name:
        with tarfile.open(source) as opened:
            opened.extractall(name, filter="data")
        (project,) = Path(name).iterdir()
        _build(project, Path(name, "wheel"), "wheel")
        (again,) = Path(name, "wheel").iterdir()
        if differing := set(_content(again).items()) ^ set(_content(wheel).items()):
            sys.exit(f"a wheel built from {source.name} differs: {sorted(differing)}")


def _install(wheel: Path, folder: Path) -> Path:
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--disable-pip-version-check"]
    locked = ["--no-deps", "--require-hashes", "-r", str(ROOT / "requirements" / "run.txt")]
    subprocess.run([*pip, *locked], check=True)
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True)
    return python.parent


def _smoke(programs: Path, version: str, folder: Path) -> None:
    """Ask for the version by both names, run the demo, look at its page, and end it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("FKS_", "PYTHON"))}
    for name in ("fks_master", "fks-master"):
        said = subprocess.run([programs / name, "--version"], capture_output=True, text=True, check=True, cwd=folder)
        if said.stdout.split()[-1] != version:
            sys.exit(f"{name} --version says {said.stdout.strip()!r}, the wheel is {version}")
    with (folder / "log").open("w") as log:
        demo = subprocess.Popen([programs / "fks_master", "demo", "--port", "0"], cwd=folder, env=clean, stderr=log)
    try:
        page = _page(folder / "log", demo)
    finally:
        demo.send_signal(signal.SIGTERM)
        code = demo.wait(SECONDS)
    if code or "/assets/" not in page:
        sys.exit(f"the demo ended with {code}, and its page began {page[:200]!r}")


def _page(log: Path, demo: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + SECONDS
    while not (found := ADDRESS.search(log.read_text())):
        if demo.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"the demo did not start: {log.read_text()}")
        time.sleep(0.05)
    with urllib.request.urlopen(found[1], timeout=SECONDS) as answer:
        return str(answer.read().decode())


if __name__ == "__main__":
    main(Path(*sys.argv[1:2] or ["dist"]))
