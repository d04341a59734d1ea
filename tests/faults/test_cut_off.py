"""Our own network is gone, or our name server: one message, and one when it is back."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.tools import tool

SCENES = {
    "network": ("No service can be reached", "Services can be reached again"),
    "names": ("No name can be resolved", "Names can be resolved again"),
}


@pytest.mark.parametrize("scene", SCENES)
def test_one_message_says_that_we_are_cut_off(scene: str) -> None:
    if os.geteuid() != 0 and not os.environ.get("CI"):
        pytest.skip("only root may have a network of its own")
    tool("ip", "iproute2")
    alone = [tool("unshare", "util-linux"), "--net", "--mount"]
    command = [*alone, sys.executable, "-m", "tests.faults.alone", scene]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [(kind, service) for kind, service, _ in told] == [("SystemAlert", None), ("SystemAlert", None)], told
    assert all(words in message for words, (_, _, message) in zip(SCENES[scene], told, strict=True)), told
