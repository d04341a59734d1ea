"""Debian's Chromium, driven by Playwright: for the tests, the pictures of the documentation and the measurements."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from tests.process import PATIENCE, Monitor
from tests.tools import tool

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-component-update", "--enable-precise-memory-info")
MILLISECONDS = 1000
WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}

expect.set_options(timeout=PATIENCE * MILLISECONDS)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser until the block ends. Playwright's own download is not needed."""
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=tool("chromium", "chromium"), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class Tab:
    """One tab of its own, without cookies or storage of others. `errors` is what went wrong in it."""

    def __init__(self, browser: Browser, **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": WIDE, "reduced_motion": "reduce", **options})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE * MILLISECONDS)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._note)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def show(self, one: Monitor, where: str = "") -> Page:
        """Open a page of the dashboard, and wait until it says something."""
        self.page.goto("about:blank")
        self.page.goto(f"{one.address}/{where if where.startswith('?') else f'#{where}'}")
        expect(self.page.locator("#sentence")).not_to_have_text("")
        expect(self.page.locator("#sentence")).not_to_contain_text("Connecting")
        expect(self.page.locator("#sentence")).not_to_contain_text("Looking up")
        return self.page

    def close(self) -> None:
        self.context.close()


@contextmanager
def tab(browser: Browser, **options: Any) -> Iterator[Tab]:
    one = Tab(browser, **options)
    try:
        yield one
    finally:
        one.close()
