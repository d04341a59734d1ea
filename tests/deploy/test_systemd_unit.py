"""The unit for systemd: valid, hardened, and in step with what the program does."""

import configparser
import subprocess
import sys
from pathlib import Path

import pytest
from tests.tools import tool

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "fks_master.service"
MOST_EXPOSED = 18  # tenths, of 100; a unit without hardening has 96


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The unit, with the program where it is on this machine."""
    path = tmp_path / UNIT.name
    program = Path(sys.executable).parent / "fks_master"
    path.write_text(UNIT.read_text().replace("/opt/fks_master/bin/fks_master", str(program)))
    return path


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [tool("systemd-analyze", "systemd"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_systemd_understands_all_of_it(installed: Path) -> None:
    done = analyze("verify", "--man=no", str(installed))
    assert (done.returncode, done.stderr) == (0, "")


def test_it_exposes_next_to_nothing(installed: Path) -> None:
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(installed))
    assert done.returncode == 0, done.stdout[-300:]


def test_it_expects_what_the_program_does() -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read(UNIT)
    service = parser["Service"]
    assert (service["Type"], service["WatchdogSec"], service["Restart"]) == ("notify", "60", "always")
    assert service["SupplementaryGroups"] == "docker"
    assert int(service["TimeoutStopSec"]) > 10
    assert "-HUP" in service["ExecReload"]
