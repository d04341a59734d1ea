"""A `docker` that does as a test says, for the tests in which Compose itself is not the matter."""

import os
import sys
from pathlib import Path
from textwrap import dedent, indent

STUB = """#!{python} -u
import os, signal, subprocess, sys, time
said = " ".join(sys.argv[1:])
if said == "compose version --short":
    print("2.26.1")
elif "config --format json" in said:
    print('{{"name": "shop", "services": {{}}}}')
"""


def compose_stub(folder: Path, **does: str) -> str:
    """Put a project and the stub into `folder`, and return the PATH that finds it first.

    `does` has Python for the actions of Compose; `other` is for all that is not named.
    """
    script = STUB.format(python=sys.executable)
    for action, code in does.items():
        script += f'elif " {action} --" in said:\n' if action != "other" else "else:\n"
        script += indent(dedent(code).strip("\n"), "    ") + "\n"
    (folder / "docker").write_text(script)
    (folder / "docker").chmod(0o755)
    (folder / "compose.yaml").write_text("services: {}\n")
    return f"{folder}:{os.environ['PATH']}"
