"""What people do with the dashboard, in a real browser against the real program."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser.chrome import Page, chrome
from tests.process import Fleet, Monitor, fleet, monitor, wait_for

pytestmark = pytest.mark.timeout(240)

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ("", "service/fks_api", "incidents", "alerts", "jobs", "map", "activity", "wall", "ui")
HEAD = "(document.querySelector('#sentence')?.textContent ?? '')"


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    with chrome() as page:
        yield page


@pytest.fixture(scope="module")
def watched() -> Iterator[tuple[Fleet, Monitor]]:
    """A fleet of which one service is down."""
    with fleet() as targets, monitor("--config", str(targets.config)) as one:
        targets.behave("fks_data", "error")
        wait_for(lambda: any(each["is_down"] for each in one.get("/api/services")))
        yield targets, one


def show(browser: Page, one: Monitor, where: str = "") -> None:
    browser.open("about:blank")
    browser.open(f"{one.address}/#{where}")
    browser.until(f"{HEAD} !== '' && !/^(Connecting|Looking)/.test({HEAD})")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("where", PAGES)
def test_every_page_is_accessible_and_quiet(
    browser: Page, watched: tuple[Fleet, Monitor], where: str, theme: str
) -> None:
    browser.theme(theme)
    browser.resize(1440, 900)
    show(browser, watched[1], where)
    browser.errors.clear()
    browser.ask(AXE.read_text() + "; 0")
    asked = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
    found: list[dict[str, Any]] = browser.ask(
        f"{asked}.then((r) => r.violations.map((v) => [v.id, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200))]))"
    )
    assert found == [], json.dumps(found, indent=1)
    assert browser.errors == []


@pytest.mark.parametrize("where", PAGES)
def test_no_page_scrolls_sideways_on_a_phone(browser: Page, watched: tuple[Fleet, Monitor], where: str) -> None:
    browser.resize(390, 844)
    show(browser, watched[1], where)
    assert browser.ask("document.documentElement.scrollWidth <= innerWidth + 1"), where
    browser.resize(1440, 900)


def test_everything_can_be_done_with_the_keyboard(browser: Page, watched: tuple[Fleet, Monitor]) -> None:
    browser.resize(1440, 900)
    show(browser, watched[1])
    browser.press("/")
    assert browser.ask("document.activeElement.id") == "search"
    for letter in "worker":
        browser.press(letter)
    browser.until("document.querySelectorAll('tr[data-id]').length === 1 && location.search === '?q=worker'")
    browser.press("Escape")
    browser.until("document.querySelectorAll('tr[data-id]').length === 11")
    browser.press("j")
    assert browser.ask("document.activeElement.dataset.id") == "fks_data"
    browser.press("Enter")
    browser.until("location.hash === '#service/fks_data'")
    browser.press("Escape")
    browser.until("location.hash === ''")
    browser.press("g")
    browser.press("a")
    browser.until("location.hash === '#alerts'")
    browser.press("k", modifiers=2)
    browser.until("document.activeElement.getAttribute('aria-controls') === 'found'")
    for letter in "auth":
        browser.press(letter)
    browser.until("document.querySelectorAll('#found [role=option]').length === 1")
    browser.press("Enter")
    browser.until("location.hash === '#service/fks_auth'")


def test_a_silence_is_made_and_ended_on_the_page(browser: Page, watched: tuple[Fleet, Monitor]) -> None:
    _, one = watched
    show(browser, one, "service/fks_auth")
    browser.press("s")
    browser.until("document.querySelector('form.form') !== null")
    browser.ask("document.querySelector('form.form button.filled').click()")
    wait_for(lambda: [each["matchers"] for each in one.get("/api/silences")] == [{"service_id": "fks_auth"}])
    show(browser, one, "alerts")
    browser.until("document.body.textContent.includes('service_id fks_auth')")
    end = "[...document.querySelectorAll('button')].find((one) => one.textContent === 'End')"
    browser.ask(f"{end}.click()")
    wait_for(lambda: one.get("/api/silences") == [])


def test_old_data_is_never_shown_as_new(browser: Page) -> None:
    with fleet() as targets:
        with monitor("--config", str(targets.config)) as one:
            show(browser, one)
            browser.until("document.title.startsWith('● 11 healthy')")
            port = one.address.rpartition(":")[2]
        browser.until("document.querySelector('.banner')?.textContent.startsWith('Connection lost')")
        assert browser.ask("document.documentElement.hasAttribute('data-stale')")
        assert browser.ask("document.title") == "Not connected · FKS Master"
        assert browser.ask(f"{HEAD}.includes('was')")
        with monitor("--config", str(targets.config), "--port", port):
            browser.until("!document.querySelector('.banner') && document.title.includes('11 healthy')")


def test_of_two_thousand_services_those_near_the_screen_are_drawn(browser: Page) -> None:
    with fleet(size=2000, interval=10) as targets, monitor("--config", str(targets.config)) as one:
        wait_for(lambda: one.get("/api/metrics")["healthy_services"] == 2000)
        browser.resize(1440, 900)
        show(browser, one)
        rows = "document.querySelectorAll('tr[data-id]').length"
        browser.until(f"{rows} > 10 && {rows} < 200")
        whole = browser.ask("document.querySelector('table').getBoundingClientRect().height")
        assert whole > 2000 * 30
        browser.ask("scrollTo(0, 40000)")
        browser.until("document.elementFromPoint(700, 450)?.closest('tr[data-id]') !== null")
