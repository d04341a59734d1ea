"""One browser for all tests of the page, and a fleet of which one service is down."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from tests.browser.chromium import Tab, chromium, tab
from tests.process import Fleet, Monitor, fleet, monitor, wait_for


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def window(browser: Browser) -> Iterator[Tab]:
    with tab(browser) as one:
        yield one


@pytest.fixture(scope="package")
def watched() -> Iterator[tuple[Fleet, Monitor]]:
    with fleet() as targets, monitor("--config", str(targets.config)) as one:
        targets.behave("fks_data", "error")
        wait_for(lambda: any(each["is_down"] for each in one.get("/api/services")))
        yield targets, one
