"""The pictures of the documentation: `python -m tests.screenshots` takes them anew, of every page."""

import http.server
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser
from tests.browser.chromium import chromium, tab
from tests.browser.stack import GROUPS, stack
from tests.docker_engine import docker_engine
from tests.process import Fleet, Monitor, wait_for
from tests.tools import tool

FOLDER = Path(__file__).parent.parent / "docs" / "screenshots"
PAGES = {
    "overview": "", "grid": "?view=grid", "service": "service/fks_engine", "incidents": "incidents",
    "incident": "incident/INCIDENT", "alerts": "alerts", "jobs": "jobs", "map": "map", "activity": "activity",
    "wall": "wall", "ui": "ui",
}  # fmt: skip
WITH_CONTAINERS = tuple(name for name in GROUPS if name != "fks_training")
SHOP = """name: shop
services:
  web: {image: fks/box, network_mode: none, stop_grace_period: 0s, depends_on: [db]}
  db: {image: fks/box, network_mode: none, stop_grace_period: 0s}
"""
SIZES = {1440: 900, 768: 1024, 390: 844}
LIVE_SECONDS = 150.0  # until bars and charts have something to show
QUANT = ("--force", "--speed", "1", "--strip", "64", "--output")  # 64 colours: more cannot be told apart


def take(folder: Path, seconds: float) -> None:
    with (
        docker_engine() as engine,
        telling() as receiver,
        stack(engine, WITH_CONTAINERS, receiver) as (targets, one, _),
    ):
        (targets.config.parent / "docker-compose.yml").write_text(SHOP)
        with chromium() as browser:
            play(one, targets, seconds)
            for theme in ("light", "dark"):
                for width, height in SIZES.items():
                    picture_all(browser, one, folder, (theme, width, height))


class Told(http.server.BaseHTTPRequestHandler):
    """A receiver that takes everything."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def telling() -> Iterator[str]:
    """Give the lines of a config by which somebody is told."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Told) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f'[alerts]\nwebhook_url = "http://127.0.0.1:{server.server_port}/"\n'
        server.shutdown()


def play(one: Monitor, targets: Fleet, seconds: float) -> None:
    """Let the fleet live: a job, a restart, and then things go wrong, causes before consequences."""
    one.request("/api/compose", "POST", {"action": "up", "file": "docker-compose.yml"})
    one.request("/api/services/fks_worker/restart", "POST", {})
    time.sleep(seconds / 2)
    targets.behave("fks_training", "degraded")
    targets.behave("fks_engine", "error")
    wait_for(lambda: any(each["is_down"] for each in one.get("/api/services")))
    targets.behave("fks_execution", "unhealthy")
    one.request(
        "/api/silences",
        "POST",
        {
            "matchers": {"service_id": "fks_training"},
            "comment": "cache warms up",
            "author": "ops",
            "duration_seconds": 5400,
        },
    )
    time.sleep(seconds / 2)


def picture_all(browser: Browser, one: Monitor, folder: Path, look: tuple[str, int, int]) -> None:
    theme, width, height = look
    options = {"viewport": {"width": width, "height": height}, "is_mobile": width < 500, "has_touch": width < 500}
    incident = one.get("/api/incidents")["incidents"][0]["id"]
    with tab(browser, color_scheme=theme, **options) as window:
        for name, where in PAGES.items():
            page = window.show(one, where.replace("INCIDENT", incident))
            page.wait_for_timeout(700)
            target = folder / f"{name}-{width}-{theme}.png"
            page.screenshot(path=target, full_page=name == "ui" and width > 1000)
            subprocess.run([tool("pngquant", "pngquant"), *QUANT, str(target), "--", str(target)], check=True)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    target.mkdir(exist_ok=True, parents=True)
    take(target, float(sys.argv[2]) if len(sys.argv) > 2 else LIVE_SECONDS)
    sys.stdout.write(f"{target} is written\n")
