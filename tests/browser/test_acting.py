"""Acting on real containers from the page: restarts, logs, jobs with their plan, a project taken down."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from tests.browser.chromium import Tab
from tests.browser.stack import Stack, stack
from tests.docker_engine import Engine
from tests.process import wait_for

SHOP = """name: shop
services:
  web: {image: fks/box, network_mode: none, stop_grace_period: 0s, depends_on: [db]}
  db: {image: fks/box, network_mode: none, stop_grace_period: 0s}
"""


@pytest.fixture(scope="module")
def running(daemon: Engine) -> Iterator[Stack]:
    daemon.remove_everything()
    with stack(daemon, ("fks_engine", "fks_data")) as one:
        (one.targets.config.parent / "docker-compose.yml").write_text(SHOP)
        wait_for(lambda: one.monitor.get("/api/services/fks_engine/health")["container"])
        yield one


def test_a_restart_asks_names_who_needs_it_and_tells_the_story_until_it_is_healthy(window: Tab, running: Stack) -> None:
    page = window.show(running.monitor)
    row = page.locator(".r[data-id=fks_engine]")
    row.focus()
    page.keyboard.press("r")
    expect(row.locator(".ask")).to_contain_text("Restart FKS Engine?")
    expect(row.locator(".ask")).to_contain_text("FKS Execution needs it")
    page.keyboard.press("Escape")
    expect(row.locator(".ask")).to_have_count(0)
    expect(row).to_be_focused()
    page.keyboard.press("r")
    expect(row.get_by_role("button", name="Restart", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(row.locator(".story")).to_contain_text("requested")
    expect(row.locator(".story")).to_contain_text("healthy after")
    page = window.show(running.monitor, "service/fks_engine")
    expect(page.locator("aside")).to_contain_text("fks/box")
    page = window.show(running.monitor, "activity")
    expect(page.get_by_text("restart").first).to_be_visible()


def test_a_stopped_container_can_be_started_again(window: Tab, running: Stack) -> None:
    page = window.show(running.monitor, "service/fks_data")
    page.get_by_role("button", name="Stop FKS Data").click()
    page.locator("[data-agree]").click()
    expect(page.locator(".story")).to_contain_text("stopped after")
    page.get_by_role("button", name="Start FKS Data", exact=True).click()
    expect(page.locator(".story")).to_contain_text("healthy after")


def test_logs_are_followed_searched_paused_and_saved(window: Tab, running: Stack) -> None:
    page = window.show(running.monitor, "service/fks_engine")
    page.keyboard.press("l")
    term = page.locator(".term")
    expect(term).to_contain_text("order book in memory")
    expect(term.locator(".err").first).to_contain_text("WARN db")
    page.get_by_label("Search in FKS Engine").fill("slow query")
    expect(term.locator("mark").first).to_have_text("slow query")
    page.keyboard.press("Enter")
    expect(term.locator("mark.cur")).to_have_count(1)
    expect(page.locator(".newl")).to_contain_text("new line")
    page.locator(".newl").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".newl")).to_contain_text("new line")
    page.get_by_role("button", name="Resume").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download").click()
    assert "order book in memory" in saved.value.path().read_text()
    chosen = page.evaluate(
        "(() => { const one = document.querySelector('.term .l'); getSelection().selectAllChildren(one);"
        " return getSelection().toString(); })()"
    )
    assert not chosen.strip().startswith("0")
    assert " out " not in chosen


def test_a_job_shows_its_plan_then_its_output_and_a_project_is_taken_down_by_its_name(
    window: Tab, running: Stack
) -> None:
    page = window.show(running.monitor, "jobs")
    page.get_by_role("button", name="Show the plan").click()
    expect(page.locator(".plan")).to_contain_text("shop-web-1")
    expect(page.locator(".plan")).to_contain_text("create")
    page.get_by_role("button", name="Run up").click()
    expect(page.locator("#sentence")).to_contain_text("was done", timeout=60_000)
    expect(page.locator(".term")).to_contain_text("shop-web-1")
    expect(page.locator(".jl a[aria-current]")).to_contain_text("up")
    page.locator("form.rows select").select_option("down")
    page.get_by_label("Project").fill("shop")
    page.get_by_role("button", name="Show the plan").click()
    expect(page.locator(".plan")).to_contain_text("remove")
    page.get_by_role("button", name="Run down").click()
    dialog = page.get_by_role("dialog", name="Take down project shop")
    confirm = dialog.get_by_role("button", name="Take down shop")
    expect(confirm).to_be_disabled()
    dialog.get_by_role("textbox").fill("shop")
    confirm.click()
    expect(page.locator("#sentence")).to_contain_text("down on project shop was done", timeout=60_000)
    assert running.engine.docker("ps", "--all", "--quiet", "--filter", "name=shop") == ""


def test_what_a_container_uses_is_drawn(window: Tab, running: Stack) -> None:
    path = "/api/services/fks_engine/usage?range=1h"
    wait_for(lambda: [one for one in running.monitor.get(path)["points"] if one["memory_bytes"]], 60)
    page = window.show(running.monitor, "service/fks_engine")
    expect(page.locator(".plot .ti", has_text="Memory")).to_be_visible()
    expect(page.locator(".plot .ti", has_text="CPU")).to_be_visible()
    expect(page.locator(".plot .ti", has_text="Network")).to_have_count(0)  # it has none
    assert window.errors == []
