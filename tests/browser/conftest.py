"""A browser for each module, whose loop must have ended before others begin; a fleet with one service down."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from tests.browser.chromium import Tab, chromium, tab
from tests.process import Fleet, Monitor, fleet, monitor, wait_for


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def window(browser: Browser) -> Iterator[Tab]:
    with tab(browser) as one:
        yield one


@pytest.fixture(scope="module")
def watched() -> Iterator[tuple[Fleet, Monitor]]:
    with fleet() as targets, monitor("--config", str(targets.config)) as one:
        targets.behave("fks_data", "error")
        wait_for(lambda: any(each["is_down"] for each in one.get("/api/services")))
        yield targets, one
