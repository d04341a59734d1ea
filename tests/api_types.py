"""The dashboard's types, made from the API's own description: `python -m tests.api_types` writes them anew."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.process import monitor

WEB = Path(__file__).parent.parent / "web"
TYPES = WEB / "src" / "schema.d.ts"


def generated() -> str:
    with monitor() as one:
        document = one.get("/openapi.json")
    document["paths"] = {}  # the page knows its addresses; the shapes are what may drift
    with tempfile.TemporaryDirectory() as folder:
        description, types = Path(folder, "openapi.json"), Path(folder, "schema.d.ts")
        description.write_text(json.dumps(document, sort_keys=True))
        command = ["node_modules/.bin/openapi-typescript", str(description), "--output", str(types)]
        subprocess.run(command, cwd=WEB, capture_output=True, timeout=120, check=True)
        return types.read_text()


if __name__ == "__main__":
    TYPES.write_text(generated())
    sys.stdout.write(f"{TYPES} is written\n")
