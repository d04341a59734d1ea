"""Every page: accessible in both themes, without errors, and no wider than a phone."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.chromium import PHONE, tab
from tests.process import Fleet, Monitor

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
ASK = """async (rules) => {
  const found = await axe.run(document, { runOnly: rules });
  return found.violations.map((one) => [one.id, one.nodes.slice(0, 3).map((node) => node.html.slice(0, 200))]);
}"""
PAGES = (
    "", "?view=grid", "service/fks_data", "service/fks_api", "incidents", "incident/INCIDENT", "alerts", "jobs", "map",
    "activity", "wall", "ui", "more",
)  # fmt: skip

OPENINGS: dict[str, Callable[[Page], None]] = {
    "Keys": lambda page: page.keyboard.press("?"),
    "API key or JWT": lambda page: page.get_by_role("button", name="Key", exact=True).click(),
    "Find a service, a page or an action": lambda page: page.keyboard.press("Control+k"),
    "New silence": lambda page: page.get_by_role("button", name="New silence").click(),
    "Plan maintenance": lambda page: page.get_by_role("button", name="Plan maintenance").click(),
}


def located(where: str, one: Monitor) -> str:
    return where.replace("INCIDENT", one.get("/api/incidents")["incidents"][0]["id"]) if "INCIDENT" in where else where


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("where", PAGES)
def test_every_page_is_accessible_and_quiet(
    browser: Browser, watched: tuple[Fleet, Monitor], where: str, theme: str
) -> None:
    with tab(browser, color_scheme=theme, bypass_csp=True) as one:
        page = one.show(watched[1], located(where, watched[1]))
        page.add_script_tag(path=str(AXE))
        found = page.evaluate(ASK, RULES)
        assert found == [], json.dumps(found, indent=1)
        assert one.errors == []


@pytest.mark.parametrize("where", PAGES)
def test_no_page_scrolls_sideways_on_a_phone(browser: Browser, watched: tuple[Fleet, Monitor], where: str) -> None:
    with tab(browser, viewport=PHONE, has_touch=True, is_mobile=True) as one:
        page = one.show(watched[1], located(where, watched[1]))
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
        small = page.evaluate(
            "[...document.querySelectorAll('main .acts .btn, main .r.bad .btn, .botnav a')]"
            ".filter((one) => one.getBoundingClientRect().height < 43.5).map((one) => one.outerHTML.slice(0, 120))"
        )
        assert small == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_opens_over_a_page_is_accessible(browser: Browser, watched: tuple[Fleet, Monitor], theme: str) -> None:
    with tab(browser, color_scheme=theme, bypass_csp=True) as one:
        page = one.show(watched[1], "alerts")
        page.add_script_tag(path=str(AXE))

        def judge(what: str) -> None:
            found = page.evaluate(ASK, RULES)
            assert found == [], f"{what}: {json.dumps(found, indent=1)}"

        for name, opening in OPENINGS.items():
            opening(page)
            expect(page.get_by_role("dialog", name=name)).to_be_visible()
            judge(name)
            page.keyboard.press("Escape")
            expect(page.get_by_role("dialog")).to_have_count(0)
        page.evaluate("location.hash = ''")
        page.get_by_role("button", name="More for FKS Data").click()
        expect(page.get_by_role("menu")).to_be_visible()
        judge("menu")
