import subprocess
from pathlib import Path

from tests.tools import tool

RULES = Path(__file__).parents[2] / "deploy" / "prometheus"


def test_the_rules_fire_when_they_should_and_only_then() -> None:
    command = [tool("promtool", package="prometheus"), "test", "rules", "rules_test.yml"]
    done = subprocess.run(command, cwd=RULES, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
