"""How fast the dashboard is with 2,000 services, 200 changes a second: `python -m bench.dashboard [MINUTES]`.

With MINUTES the page stays open for as long, and its memory is read once a minute: an hour of it is `make soak`'s.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.stage import remembering
from playwright.sync_api import CDPSession, Page
from tests.browser.chromium import FLAGS, chromium, tab
from tests.process import Monitor, fleet, monitor, wait_for
from tests.tools import tool

SERVICES = 2000
LISTEN_SECONDS = 10.0
LIGHTHOUSE = "lighthouse@13"
CATEGORIES = ("performance", "accessibility", "best-practices")
ROWS = "document.querySelectorAll('.r[data-id]').length"
KEYS = """() => new Promise(async (done) => {
  const took = [], search = document.querySelector('#search'), wait = (ms) => new Promise((go) => setTimeout(go, ms));
  for (let turn = 0; turn < 100; turn++) {
    const began = performance.now();
    search.value = 'fks'.slice(0, turn % 4);
    search.dispatchEvent(new Event('input', { bubbles: true }));
    await new Promise((go) => requestAnimationFrame(() => setTimeout(go, 0)));
    took.push(performance.now() - began);
    await wait(60);
  }
  took.sort((a, b) => a - b);
  done([took[50], took[98]]);
})"""


def main() -> None:
    with fleet(SERVICES, 10.0) as targets, monitor("--config", remembering(targets)) as one:
        wait_for(lambda: one.get("/api/metrics")["healthy_services"] == SERVICES)
        measure_page(one)
    measure_lighthouse()


def measure_page(one: Monitor) -> None:
    with chromium() as browser, tab(browser) as window:
        page = window.page
        session = window.context.new_cdp_session(page)
        print(f"open to overview: {opened(page, one):.2f} s (bar 1), {page.evaluate(ROWS)} rows drawn")
        time.sleep(8)
        middle, most = page.evaluate(KEYS)
        print(f"key to the next frame: {middle:.0f} ms, p98 {most:.0f} ms (bar 50)")
        measure_wire(page, session, one)
        sizes = [memory(page, session) for _ in range(3 if len(sys.argv) < 2 else int(sys.argv[1]))]
        print("memory after collection, MB: " + ", ".join(f"{size:.1f}" for size in sizes))


def opened(page: Page, one: Monitor) -> float:
    began = time.perf_counter()
    page.goto(one.address, wait_until="commit")
    wait_for(lambda: page.evaluate(ROWS))
    return time.perf_counter() - began


def memory(page: Page, session: CDPSession) -> float:
    time.sleep(20.0 if len(sys.argv) < 2 else 60.0)
    session.send("HeapProfiler.collectGarbage")
    size: float = page.evaluate("performance.memory.usedJSHeapSize / 1e6")
    return size


def measure_wire(page: Page, session: CDPSession, one: Monitor) -> None:
    """Count what the live feed sends to one client, as the browser takes it off the wire, and before it was packed."""
    messages: list[int] = []
    session.on("Network.webSocketFrameReceived", lambda event: messages.append(len(event["response"]["payloadData"])))
    session.send("Network.enable")
    page.reload()
    wait_for(lambda: page.evaluate(ROWS))
    page.wait_for_timeout(2000)
    messages.clear()
    before = one.get("/api/status")["checks_completed"]
    page.wait_for_timeout(LISTEN_SECONDS * 1000)
    checks = one.get("/api/status")["checks_completed"] - before
    print(
        f"live feed: {checks / LISTEN_SECONDS:.0f} changes a second, "
        f"{sum(messages) / max(1, checks):.0f} bytes a change before compression (bar 300)"
    )


def measure_lighthouse() -> None:
    """Ask Lighthouse about the overview of the demo fleet, with Debian's Chromium, as on a desktop."""
    npx = shutil.which("npx")
    if npx is None:
        print("Lighthouse: not measured, for there is no npx")
        return
    with fleet() as targets, monitor("--config", remembering(targets)) as one, tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [
            npx, "--yes", LIGHTHOUSE, one.address, "--preset=desktop", "--quiet", "--output=json",
            f"--output-path={report}", f"--only-categories={','.join(CATEGORIES)}",
            f"--chrome-flags=--headless {' '.join(FLAGS)}",
        ]  # fmt: skip
        environment = {**os.environ, "CHROME_PATH": tool("chromium", "chromium")}
        subprocess.run(command, env=environment, cwd=folder, check=True, timeout=300, stdout=subprocess.DEVNULL)
        found = json.loads(report.read_text())["categories"]
        print(
            "Lighthouse (bar 95 each): " + ", ".join(f"{name} {found[name]['score'] * 100:.0f}" for name in CATEGORIES)
        )


if __name__ == "__main__":
    main()
