"""The pictures of the documentation: `python -m tests.screenshots` takes them anew, of every page."""

import sys
import time
from pathlib import Path

from tests.browser.chrome import chrome
from tests.process import fleet, monitor, wait_for

FOLDER = Path(__file__).parent.parent / "docs" / "screenshots"
PAGES = {
    "overview": "/", "grid": "/?view=grid", "service": "/#service/fks_engine", "incidents": "/#incidents",
    "alerts": "/#alerts", "jobs": "/#jobs", "map": "/#map", "activity": "/#activity", "wall": "/#wall",
}  # fmt: skip
SIZES = {1440: 900, 768: 1024, 390: 844}
LIVE_SECONDS = 60.0  # until bars and charts have something to show


def take() -> None:
    with fleet(interval=1) as targets, monitor("--config", str(targets.config)) as one, chrome() as page:
        time.sleep(LIVE_SECONDS / 2)
        targets.behave("fks_engine", "error")
        targets.behave("fks_training", "degraded")
        wait_for(lambda: any(each["is_down"] for each in one.get("/api/services")))
        time.sleep(LIVE_SECONDS / 2)
        for name, path in PAGES.items():
            incident = one.get("/api/incidents")["incidents"][0]["id"]
            for width, height in SIZES.items():
                page.resize(width, height)
                for theme in ("light", "dark"):
                    page.theme(theme)
                    page.open("about:blank")
                    page.open(one.address + path.replace("INCIDENT", incident))
                    page.until("document.querySelector('#sentence') && !document.title.startsWith('Not')")
                    time.sleep(0.7)
                    (FOLDER / f"{name}-{width}-{theme}.png").write_bytes(page.picture())


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    take()
    sys.stdout.write(f"{FOLDER} is written\n")
