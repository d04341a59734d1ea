"""The documentation in a real browser."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from playwright.sync_api import expect
from tests.browser.chromium import Tab
from tests.docs.test_site import build


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_the_site_is_searched_and_asks_nobody_else(window: Tab, tmp_path: Path) -> None:
    build(tmp_path)
    with served(tmp_path) as address:
        page = window.page
        page.goto(f"{address}/reference/config/")
        page.locator("[data-md-component=search-query]").focus()
        page.keyboard.type("batch_size", delay=20)
        expect(page.locator(".md-search-result__item").first).to_be_attached()
        loaded = page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
        assert len(loaded) > 3
        assert [one for one in loaded if not one.startswith((address, "data:", "blob:"))] == []
        assert window.errors == []
