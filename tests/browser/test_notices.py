"""What is told outside the page: notifications of the computer, a sound, at the first touch and together."""

import pytest
from playwright.sync_api import Page, expect
from tests.browser.chromium import Tab
from tests.process import Fleet, Monitor, fleet, monitor, wait_for

pytestmark = pytest.mark.timeout(240)

# A headless browser shows and sounds nothing: what the page asks of it is noted instead.
NOTED = """
window.told = []; window.tones = 0;
window.Notification = class {
  static permission = 'granted';
  static requestPermission() { return Promise.resolve('granted'); }
  constructor(title, more) { this.title = title; this.body = more.body; told.push(this); }
  close() { this.isClosed = true; }
};
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (at) { tones++; return start.call(this, at); };
"""


def listening(window: Tab, one: Monitor) -> Page:
    window.page.add_init_script(NOTED)
    page = window.show(one)
    expect(page).to_have_title("● 11 healthy · FKS Master")
    page.keyboard.press("?")
    page.get_by_label("Tell me of new incidents on this computer").check()
    page.get_by_label("With a sound").check()
    assert page.evaluate("tones") == 2  # to hear what it will be like
    page.keyboard.press("Escape")
    return page


def fail(targets: Fleet, one: Monitor, *names: str) -> None:
    for name in names:
        targets.behave(name, "error")
    wait_for(lambda: {each["id"] for each in one.get("/api/services") if each["is_down"]} >= set(names))


def test_an_incident_is_told_and_heard_and_leads_to_its_service(window: Tab) -> None:
    with fleet() as targets, monitor("--config", str(targets.config)) as one:
        page = listening(window, one)
        fail(targets, one, "fks_worker")
        wait_for(lambda: page.evaluate("told.length") == 1)
        assert page.evaluate("[told[0].title, told[0].body, tones]") == [
            "FKS Worker",
            "FKS Worker is down: HTTP 500",
            4,
        ]
        page.evaluate("told[0].onclick()")
        expect(page).to_have_url(f"{one.address}/#service/fks_worker")
        page.reload()
        page.keyboard.press("?")
        expect(page.get_by_label("Tell me of new incidents on this computer")).to_be_checked()


def test_a_consequence_wakes_nobody_of_its_own(window: Tab) -> None:
    with fleet() as targets, monitor("--config", str(targets.config)) as one:
        page = listening(window, one)
        fail(targets, one, "fks_engine")
        wait_for(lambda: page.evaluate("told.length") == 1)
        fail(targets, one, "fks_execution")
        fail(targets, one, "fks_auth")
        wait_for(lambda: page.evaluate("told.length") == 2)
        assert page.evaluate("told.map((one) => one.title)") == ["FKS Engine", "FKS Auth"]


def test_where_the_browser_forbids_it_the_page_says_so(window: Tab, watched: tuple[Fleet, Monitor]) -> None:
    window.page.add_init_script(NOTED.replace("'granted'", "'denied'"))
    page = window.show(watched[1])
    page.keyboard.press("?")
    page.get_by_label("Tell me of new incidents on this computer").click()
    expect(page.get_by_text("The browser does not allow it.")).to_be_visible()
    expect(page.get_by_label("Tell me of new incidents on this computer")).not_to_be_checked()
