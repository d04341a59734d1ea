"""How fast dashboard and API are with 2,000 services, 200 changes a second: `python -m bench.dashboard`."""

import time
import urllib.request

from tests.browser.chrome import Page, chrome
from tests.process import Monitor, fleet, monitor, wait_for

SERVICES = 2000
ROWS = "document.querySelectorAll('tr[data-id]').length"
KEYS = """new Promise(async (done) => {
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


def fetched(one: Monitor, path: str) -> tuple[float, int]:
    """Return the median milliseconds of nine, and the bytes."""
    took, size = [], 0
    for _ in range(9):
        began = time.perf_counter()
        with urllib.request.urlopen(one.address + path, timeout=60) as answer:
            size = len(answer.read())
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)[4], size


def opened(page: Page, one: Monitor) -> float:
    began = time.perf_counter()
    page.open(one.address)
    while not page.ask(ROWS):
        time.sleep(0.01)
    return time.perf_counter() - began


def main() -> None:
    for size in (1000, SERVICES):
        with fleet(size, 10.0) as targets, monitor("--config", str(targets.config)) as one:
            wait_for(lambda size=size, one=one: one.get("/api/metrics")["healthy_services"] == size)
            for path in ("/metrics", "/api/services"):
                took, weight = fetched(one, path)
                print(f"{path} at {size} services: {took:.1f} ms, {weight / 1000:.0f} kB")
            if size == SERVICES:
                measure_page(one)


def measure_page(one: Monitor) -> None:
    with chrome() as page:
        page.resize(1440, 900)
        print(f"open to overview: {opened(page, one):.2f} s (bar 1), {page.ask(ROWS)} rows drawn")
        time.sleep(8)
        middle, most = page.ask(KEYS)
        print(f"key to the next frame: {middle:.0f} ms, p98 {most:.0f} ms (bar 50)")
        sizes = []
        for _ in range(3):
            time.sleep(20)
            page.call("HeapProfiler.collectGarbage")
            sizes.append(page.ask("performance.memory.usedJSHeapSize") / 1e6)
        print("memory after collection, MB, every 20 s: " + ", ".join(f"{size:.1f}" for size in sizes))


if __name__ == "__main__":
    main()
