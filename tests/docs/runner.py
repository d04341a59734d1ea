"""Follows a page of the documentation: every code block is run, written or compared, in order.

A block of `bash` is run in one shell for the whole page, `toml` is written to a file, `text` is what the block before
must have printed (`…` stands for anything). A comment before a block says what a reader would do by hand:

    <!-- run: where=checkout -->            in the checkout instead of the reader's folder
    <!-- run: background=NAME ready=TEXT --> in another terminal, until TEXT is on its screen
    <!-- run: stop=NAME -->                  Ctrl-C there
    <!-- run: until exit=1 -->               again and again, until it ends so and prints what follows
    <!-- run: until output=NAME -->          what follows must appear in another terminal
    <!-- run: file=PATH --> append=PATH      where a block of toml goes
    <!-- run: plan -->                       no more than `docker compose config`: images are built by other tests
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).parents[2]
PATIENCE = 60.0
STEP = re.compile(r"^<!-- run: (?P<orders>.*?) -->$|^```(?P<kind>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_OURS = {"js"}  # what runs in a reader's own page
SPEAKS_FOR_US = ("FKS_", "RUST_LOG", "OTEL_", "DOCKER_", "NOTIFY_SOCKET")


class Block(NamedTuple):
    """A code block, or an order that stands alone; `line` is where."""

    line: int
    kind: str
    code: str
    orders: dict[str, str]


def blocks_of(page: str) -> Iterator[Block]:
    orders: dict[str, str] = {}
    for match in STEP.finditer(page):
        line = page.count("\n", 0, match.start()) + 1
        if match["orders"] is None:
            yield Block(line, match["kind"], match["code"], orders)
            orders = {}
            continue
        orders = {name: value for name, _, value in (word.partition("=") for word in match["orders"].split())}
        if "stop" in orders:
            yield Block(line, "", "", orders)
            orders = {}


class Reader:
    """Does what a page says. `ports` replaces the page's own ports, so that pages can be followed side by side."""

    def __init__(self, home: Path, ports: Mapping[str, int]) -> None:
        self.home = home
        self._ports = ports
        self._others: dict[str, tuple[subprocess.Popen[bytes], Path]] = {}
        self._printed = ""
        self._before: Block | None = None
        clean = {name: value for name, value in os.environ.items() if not name.startswith(SPEAKS_FOR_US)}
        path = f"{Path(sys.executable).parent}:{clean['PATH']}"
        port = str(ports.get("9090", 9090))
        own = {"HOME": str(home), "PATH": path, "FKS_MASTER_PORT": port, "FKS_MASTER_URL": f"http://127.0.0.1:{port}"}
        self._environment = clean | own
        self._folder = home

    def follow(self, page: str) -> None:
        blocks = list(blocks_of(page))
        for block, following in zip_longest(blocks, blocks[1:]):
            self._do(block, following.code if following and following.kind == "text" else None)

    def close(self) -> None:
        for name in list(self._others):
            self._stop(name)

    def _do(self, block: Block, wanted: str | None) -> None:
        if "stop" in block.orders:
            self._stop(block.orders["stop"])
        elif block.kind == "toml":
            self._write(block)
        elif block.kind in NOT_OURS:
            pass
        elif block.kind == "text":
            self._compare(block)
        elif "background" in block.orders:
            self._start(block)
        elif block.kind == "bash":
            self._run(block, wanted)
        else:
            raise AssertionError(f"line {block.line}: nobody runs a block of {block.kind or 'no language'}")

    def _fit(self, text: str) -> str:
        for port, ours in self._ports.items():
            text = re.sub(rf"\b{port}\b", str(ours), text)
        return text

    def _write(self, block: Block) -> None:
        name = block.orders.get("file") or block.orders.get("append") or ""
        named = re.match(r"# (\S+\.toml)", block.code)
        path = self._folder / (name or (named[1] if named else ""))
        assert path.suffix == ".toml", f"line {block.line}: say where this goes"
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text() if "append" in block.orders else ""
        path.write_text(f"{before}\n{self._fit(block.code)}")

    def _compare(self, block: Block) -> None:
        wanted = self._fit(block.code)
        if name := block.orders.get("output"):
            log = self._others[name][1]
            deadline = time.monotonic() + PATIENCE
            while not fits(wanted, log.read_text()):
                assert time.monotonic() < deadline, f"line {block.line}: {name} printed {log.read_text()}"
                time.sleep(0.1)
        else:
            assert fits(wanted, self._printed), f"line {block.line}: expected\n{wanted}\nbut got\n{self._printed}"

    def _run(self, block: Block, wanted: str | None) -> None:
        code = self._fit(block.code)
        if "plan" in block.orders:
            code = code.replace("docker compose up -d", "docker compose config --quiet")
        exit_code = int(block.orders.get("exit", 0))
        deadline = time.monotonic() + PATIENCE
        while True:
            done = self._shell(code, block)
            self._printed = done.stdout
            is_good = done.returncode == exit_code and (wanted is None or fits(self._fit(wanted), done.stdout))
            if is_good or "until" not in block.orders:
                break
            assert time.monotonic() < deadline, f"line {block.line}: still\n{done.stdout}{done.stderr}"
            time.sleep(0.2)
        assert done.returncode == exit_code, f"line {block.line}: {done.returncode}\n{done.stdout}{done.stderr}"

    def _shell(self, code: str, block: Block) -> "subprocess.CompletedProcess[str]":
        """Run it, and keep the folder and the variables that it leaves behind, as a terminal does."""
        left = self.home / ".left"
        script = f"set -e\n{code}\n{{ pwd; env -0; }} > {shlex.quote(str(left))}\n"
        is_elsewhere = block.orders.get("where") == "checkout"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=CHECKOUT if is_elsewhere else self._folder,
            env=self._environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        if left.exists():
            folder, _, variables = left.read_text().partition("\n")
            self._folder = self._folder if is_elsewhere else Path(folder)
            self._environment = dict(each.split("=", 1) for each in variables.split("\0") if "=" in each)
            left.unlink()
        return done

    def _start(self, block: Block) -> None:
        name = block.orders["background"]
        log = self.home / f".{name}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                ["bash", "-c", self._fit(block.code)],
                cwd=CHECKOUT if block.orders.get("where") == "checkout" else self._folder,
                env=self._environment | {"PYTHONUNBUFFERED": "1"}, stdin=subprocess.DEVNULL, stdout=stream,
                stderr=stream, start_new_session=True,
            )  # fmt: skip
        self._others[name] = process, log
        deadline = time.monotonic() + PATIENCE
        while (ready := self._fit(block.orders.get("ready", ""))) not in log.read_text():
            assert process.poll() is None, f"line {block.line}: {log.read_text()}"
            assert time.monotonic() < deadline, f"line {block.line}: no {ready!r} in {log.read_text()}"
            time.sleep(0.05)

    def _stop(self, name: str) -> None:
        """Press Ctrl-C."""
        process, _ = self._others.pop(name)
        if process.poll() is not None:
            return
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise


def fits(wanted: str, printed: str) -> bool:
    """Whether the wanted lines stand in what was printed; `…` stands for anything, alone on a line for lines."""
    pattern = ".*?".join(re.escape(part.replace("\n…\n", "\n")) for part in wanted.strip().split("…"))
    return re.search(pattern, printed, re.DOTALL) is not None
