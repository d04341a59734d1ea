"""The real Dockerfile, built on the real engine: its base comes from Debian's mirror, for want of a registry."""

import subprocess
from pathlib import Path

from tests.docker_engine import Engine, mirror
from tests.tools import tool

ROOT = Path(__file__).parents[1]
IMAGE = "fks_master:latest"
BASE = "fks/base"
SUITE = "trixie"
# What Debian's own slim image leaves out.
LEFT_OUT = ("doc", "info", "locale", "man")
OWN_AUTHORITIES = Path("/usr/local/share/ca-certificates")


def build_image(engine: Engine, folder: Path) -> None:
    """Build `IMAGE`; takes one to two minutes."""
    tarball = folder / "base.tar"
    _make_base(tarball)
    engine.docker("import", str(tarball), BASE)
    tarball.unlink()
    # Neither a bridge here nor BuildKit.
    command = ["docker", "build", "--network", "host", "--build-arg", f"BASE={BASE}", "--tag", IMAGE, "."]
    environment = {**engine.environment, "DOCKER_BUILDKIT": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


def _make_base(tarball: Path) -> None:
    """Make what stands in for debian:trixie-slim; the machine's own authorities come along, for a mirror behind one."""
    own = OWN_AUTHORITIES.relative_to("/")
    keep = [f'mkdir -p "$1/{own}"', f'cp -r {OWN_AUTHORITIES}/. "$1/{own}/"'] if OWN_AUTHORITIES.is_dir() else []
    options = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT]
    hooks = [f"--customize-hook={line}" for line in keep]
    command = [tool("mmdebstrap", "mmdebstrap"), "--variant=minbase", *options, *hooks, SUITE, str(tarball), mirror()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
