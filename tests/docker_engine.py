"""A real Docker engine with Compose v2, for the tests that need one: ours alone, on a socket in a folder of its own.

Debian 12 has the engine but not Compose v2: the plugin comes from Debian 13's package, from the same mirror, and needs
nothing but the C library.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from tests.tools import alone, tool

PLUGIN = Path("/usr/libexec/docker/cli-plugins/docker-compose")
SUITE = "trixie"
START_SECONDS = 120.0
# Neither a bridge nor firewall rules: the machine stays as it is, and containers use its network.
DOCKERD = ("--bridge", "none", "--iptables=false", "--shutdown-timeout", "1")
DOCKERFILE = """FROM scratch
COPY busybox /bin/sh
COPY busybox /bin/sleep
COPY busybox /bin/httpd
COPY busybox /bin/cat
COPY busybox /bin/mkdir
COPY busybox /bin/rm
CMD ["/bin/sleep", "3600"]
"""


class Engine:
    """A running dockerd; `environment` is what a client of it needs."""

    def __init__(self, folder: Path, program: str = "dockerd") -> None:
        self.folder = folder
        self._program = program
        self._storage = "overlay2" if _can_overlay(folder) else "vfs"
        self.host = f"unix://{folder}/docker.sock"
        self.process: subprocess.Popen[bytes] | None = None
        self.environment = {"DOCKER_HOST": self.host, "HOME": str(folder), "PATH": os.environ["PATH"]}

    def begin(self) -> None:
        """Start the daemon, and wait until it answers."""
        if not self._begin() and self._storage != "vfs":
            self._storage = "vfs"  # which copies everything, and works everywhere
            self._begin()
        if self.process is None or self.process.poll() is not None:
            _missing(f"dockerd does not start here: {(self.folder / 'log').read_text()[-1000:]}")

    def _begin(self) -> bool:
        folder = self.folder
        for stale in ("pid", "exec/containerd/containerd.pid"):  # a daemon that was killed leaves them
            Path(folder, stale).unlink(missing_ok=True)
        command = [self._program, "--host", self.host, "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"]
        command += ["--pidfile", f"{folder}/pid", "--storage-driver", self._storage, *DOCKERD]
        with (folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        return _is_ready(self, self.process)

    def end(self, number: int = signal.SIGTERM) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def docker(self, *arguments: str) -> str:
        return subprocess.run(
            ["docker", *arguments], env=self.environment, capture_output=True, text=True, timeout=180, check=True
        ).stdout.strip()

    def build(self, image: str) -> None:
        """Make an image of nothing but busybox."""
        context = self.folder / "context"
        context.mkdir(exist_ok=True)
        shutil.copy(tool("busybox", "busybox-static"), context / "busybox")
        (context / "Dockerfile").write_text(DOCKERFILE)
        environment = {**self.environment, "DOCKER_BUILDKIT": "0"}
        command = ["docker", "build", "--quiet", "--tag", image, str(context)]
        subprocess.run(command, env=environment, capture_output=True, timeout=120, check=True)

    def serve_health(self, name: str, port: int, *options: str, ends_with: int = 0) -> None:
        """Run a container that answers 200 at /health on loopback, ends on TERM, and crashes once `crash` says so."""
        script = (
            f"rm -f /crash; mkdir -p /www; echo ok > /www/health; httpd -f -p 127.0.0.1:{port} -h /www & "
            f"trap 'exit {ends_with}' TERM; while [ ! -e /crash ]; do sleep 0.02; done; exit 7"
        )
        self.docker("run", "-d", "--network", "host", "--name", name, *options, "fks/box", "sh", "-c", script)

    def crash(self, name: str) -> None:
        """Make a container end by itself, with code 7."""
        self.docker("exec", "-d", name, "sh", "-c", "echo > /crash")

    def remove_everything(self) -> None:
        if containers := self.docker("ps", "--all", "--quiet").split():
            self.docker("rm", "--force", *containers)


@contextmanager
def docker_engine() -> Iterator[Engine]:
    """Run an engine of our own until the block ends; skips, or in CI fails, where that is not possible."""
    if os.geteuid() != 0:
        _missing("dockerd needs root")
    dockerd = tool("dockerd", "docker.io")
    compose_plugin()
    with tempfile.TemporaryDirectory(prefix="fks-docker-") as name:
        engine = Engine(Path(name), dockerd)
        try:
            engine.begin()
            engine.build("fks/box")
            yield engine
            engine.remove_everything()
        finally:
            engine.end()
            _end_orphans(engine.folder)
            _unmount_below(engine.folder)


def _end_orphans(folder: Path) -> None:
    """End what a daemon that was killed left behind: the keepers of its containers, and these."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"{folder}/exec".encode() in (process / "cmdline").read_bytes():
                children = (process / "task" / process.name / "children").read_text().split()
                for pid in (*children, process.name):
                    os.kill(int(pid), signal.SIGKILL)


def _unmount_below(folder: Path) -> None:
    """Undo the mounts that a daemon leaves behind, so that its folder can go."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((each for each in mounts if each.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)


def _is_ready(engine: Engine, daemon: "subprocess.Popen[bytes]") -> bool:
    """Wait until the daemon answers; one that has not done so for long is ended."""
    deadline = time.monotonic() + START_SECONDS
    while daemon.poll() is None and time.monotonic() < deadline:
        try:
            engine.docker("version")
        except subprocess.CalledProcessError:
            time.sleep(0.1)
        else:
            return True
    engine.end(signal.SIGKILL)
    return False


def _can_overlay(folder: Path) -> bool:
    """Whether folders can be laid over each other there, as the daemon would; not where one lies on such a pile."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        parts = [Path(name, part) for part in ("one", "two", "upper", "work", "merged")]
        for part in parts:
            part.mkdir()
        one, two, upper, work, merged = parts
        options = f"lowerdir={one}:{two},upperdir={upper},workdir={work}"
        mount = ["mount", "-t", "overlay", "overlay", "-o", options, str(merged)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            return False
        subprocess.run(["umount", str(merged)], capture_output=True, check=True)
    return True


@cache
def compose_plugin() -> None:
    tool("docker", "docker-cli")
    with alone():
        _find_plugin()


def _find_plugin() -> None:
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return
    with tempfile.TemporaryDirectory() as folder:
        _unpack_plugin(Path(folder))
    if not PLUGIN.exists():
        _missing("docker compose is missing, and Debian's mirror does not give it")


def _unpack_plugin(folder: Path) -> None:
    """Fetch the newer package through apt, with lists of its own, and take the one file out of it."""
    (folder / "lists").mkdir()
    (folder / "sources").write_text(f"deb [signed-by={_keyring()}] {mirror()} {SUITE} main\n")
    options = {
        "Dir::Etc::sourcelist": folder / "sources",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": folder / "lists",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]
    for command in ([*apt, "update"], [*apt, "download", "docker-compose"]):
        subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False)
    for package in folder.glob("docker-compose_*.deb"):
        subprocess.run(["dpkg-deb", "--extract", package, folder / "files"], check=True)
        PLUGIN.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(f"{folder}/files{PLUGIN}", PLUGIN)


def mirror() -> str:
    """Return the mirror that this machine uses already."""
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("debian*")]
    for source in sources:
        for word in source.read_text().split() if source.exists() else ():
            if word.startswith(("http://", "https://")) and word.rstrip("/").endswith("/debian"):
                return word
    return "http://deb.debian.org/debian"


def _keyring() -> str:
    keyrings = ("debian-archive-keyring.gpg", f"debian-archive-{SUITE}-automatic.gpg")
    paths = [Path("/usr/share/keyrings", name) for name in keyrings]
    return str(next((path for path in paths if path.exists()), paths[0]))


def _missing(message: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@contextmanager
def registry(port: int) -> Iterator[str]:
    """Run a registry on loopback, and give its name."""
    program = tool("docker-registry", "docker-registry")
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.yml")
        config.write_text(
            "version: 0.1\nlog: {accesslog: {disabled: true}}\n"
            f"storage: {{filesystem: {{rootdirectory: {folder}/images}}}}\nhttp: {{addr: 127.0.0.1:{port}}}\n"
        )
        with subprocess.Popen(
            [program, "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                yield f"127.0.0.1:{port}"
            finally:
                process.terminate()
