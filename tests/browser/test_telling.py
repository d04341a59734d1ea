"""Alerts, silences and incidents on their pages."""

from playwright.sync_api import expect
from tests.browser.chromium import Tab
from tests.process import Fleet, Monitor, wait_for

Watched = tuple[Fleet, Monitor]


def test_a_silence_is_made_and_ended_on_the_page(window: Tab, watched: Watched) -> None:
    one = watched[1]
    page = window.show(one, "service/fks_auth")
    page.keyboard.press("s")
    dialog = page.get_by_role("dialog", name="New silence")
    dialog.get_by_label("Why").fill("new certificate")
    dialog.get_by_role("button", name="Silence").click()
    wait_for(lambda: [each["matchers"] for each in one.get("/api/silences")] == [{"service_id": "fks_auth"}])
    page = window.show(one, "alerts")
    expect(page.get_by_text("new certificate")).to_be_visible()
    page.locator("[data-end]").click()
    wait_for(lambda: one.get("/api/silences") == [])
    expect(page.get_by_text("Nothing is silenced.")).to_be_visible()


def test_an_incident_tells_what_happened_and_takes_notes(window: Tab, watched: Watched) -> None:
    page = window.show(watched[1], "incidents")
    page.locator("tr[data-id]").first.click()
    expect(page.locator("#sentence")).to_contain_text("FKS Data has been down for")
    expect(page.locator(".tl")).to_contain_text("FKS Data is down: HTTP 500")
    page.get_by_placeholder("Write what you see").fill("pool <b>exhausted</b> & full")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".tl")).to_contain_text("pool <b>exhausted</b> & full")
    page.get_by_role("button", name="I look after it").click()
    expect(page.locator(".say")).to_contain_text("looks after it")


def test_an_alert_is_taken_in_hand_on_the_page(window: Tab, watched: Watched) -> None:
    page = window.show(watched[1], "alerts")
    expect(page.locator("#sentence")).to_contain_text("and nobody is told")
    page.get_by_role("button", name="I have it").click()
    expect(page.get_by_text("has it in hand")).to_be_visible()


def test_the_map_shows_how_far_a_failure_reaches(window: Tab, watched: Watched) -> None:
    page = window.show(watched[1], "map")
    expect(page.locator("#sentence")).to_contain_text("FKS Data")
    expect(page.locator(".node.root")).to_have_attribute("data-id", "fks_data")
    reached = set(page.locator(".node.risk, .node.hit").evaluate_all("(all) => all.map((one) => one.dataset.id)"))
    assert reached == {"fks_api", "fks_engine", "fks_execution", "fks_web", "fks_nginx"}
    page.locator(".node[data-id=fks_engine]").click()
    expect(page.locator("#sentence")).to_have_text("If FKS Engine fails, it reaches 1 other.")


def test_the_range_of_a_chart_stands_in_the_address_and_dragging_zooms(window: Tab, watched: Watched) -> None:
    page = window.show(watched[1], "service/fks_api")
    page.get_by_role("button", name="24 h", exact=True).click()
    expect(page).to_have_url(f"{watched[1].address}/?range=24h#service/fks_api")
    plot = page.locator(".u-over").first
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.95, box["y"] + 30, steps=4)
    page.mouse.up()
    wait_for(lambda: page.evaluate("location.search.includes('since=') && location.search.includes('until=')"))
    page.get_by_role("button", name="Back", exact=True).click()
    expect(page).to_have_url(f"{watched[1].address}/?range=24h#service/fks_api")
    page.get_by_role("button", name="Phases").click()
    expect(page.locator(".plot .ti").first).to_contain_text("stacked")
    page.get_by_text("The same as a table").click()
    expect(page.locator(".numbers table")).to_contain_text("first byte")


def test_the_wall_shows_what_is_wrong_without_chrome(window: Tab, watched: Watched) -> None:
    page = window.show(watched[1], "wall")
    expect(page.locator(".wall .it h2").first).to_have_text("FKS Data")
    assert page.locator(".top, .nav").count() == 0


def test_maintenance_is_planned_and_ended_on_the_page(window: Tab, watched: Watched) -> None:
    one = watched[1]
    page = window.show(one, "alerts")
    page.get_by_role("button", name="Plan maintenance").click()
    dialog = page.get_by_role("dialog", name="Plan maintenance")
    dialog.get_by_label("Name").fill("new disks")
    dialog.get_by_label("Services").fill("fks_auth fks_web")
    dialog.get_by_role("button", name="Plan it").click()
    row = page.locator("tr", has_text="new disks")
    expect(row).to_contain_text("fks_auth, fks_web")
    expect(row).to_contain_text("lasts now")
    row.get_by_role("button", name="End").click()
    wait_for(lambda: one.get("/api/maintenance") == [])
