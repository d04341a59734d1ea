"""The pictures of the documentation: `python -m tests.screenshots` takes them anew, of every page."""

import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Browser
from tests.browser.chromium import chromium, tab
from tests.process import Monitor, fleet, monitor, wait_for
from tests.tools import tool

FOLDER = Path(__file__).parent.parent / "docs" / "screenshots"
PAGES = {
    "overview": "", "grid": "?view=grid", "service": "service/fks_engine", "incidents": "incidents",
    "incident": "incident/INCIDENT", "alerts": "alerts", "jobs": "jobs", "map": "map", "activity": "activity",
    "wall": "wall", "ui": "ui",
}  # fmt: skip
SIZES = {1440: 900, 768: 1024, 390: 844}
LIVE_SECONDS = 60.0  # until bars and charts have something to show
QUANT = ("--force", "--speed", "1", "--strip", "64", "--output")  # 64 colours: more cannot be told apart


def take() -> None:
    with fleet(interval=1) as targets, monitor("--config", str(targets.config)) as one, chromium() as browser:
        time.sleep(LIVE_SECONDS / 2)
        targets.behave("fks_engine", "error")
        targets.behave("fks_training", "degraded")
        wait_for(lambda: any(each["is_down"] for each in one.get("/api/services")))
        time.sleep(LIVE_SECONDS / 2)
        for theme in ("light", "dark"):
            for width, height in SIZES.items():
                picture_all(browser, one, theme, width, height)


def picture_all(browser: Browser, one: Monitor, theme: str, width: int, height: int) -> None:
    options = {"viewport": {"width": width, "height": height}, "is_mobile": width < 500, "has_touch": width < 500}
    incident = one.get("/api/incidents")["incidents"][0]["id"]
    with tab(browser, color_scheme=theme, **options) as window:
        for name, where in PAGES.items():
            page = window.show(one, where.replace("INCIDENT", incident))
            page.wait_for_timeout(700)
            target = FOLDER / f"{name}-{width}-{theme}.png"
            page.screenshot(path=target, full_page=name == "ui" and width > 1000)
            subprocess.run([tool("pngquant", "pngquant"), *QUANT, str(target), "--", str(target)], check=True)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    take()
    sys.stdout.write(f"{FOLDER} is written\n")
