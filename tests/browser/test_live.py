"""Live data: never old shown as new, back by itself, refused to strangers, opened with a key."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import expect
from tests.browser.chromium import Tab
from tests.process import fleet, monitor, wait_for
from tests.tools import free_port

KEY = "correct-horse-battery-staple"


def test_old_data_is_never_shown_as_new(window: Tab) -> None:
    port = str(free_port())
    with fleet() as targets:
        with monitor("--config", str(targets.config), "--port", port) as one:
            page = window.show(one)
            expect(page).to_have_title("● 11 healthy · FKS Master")
        expect(page.locator(".banner")).to_contain_text("Connection lost")
        expect(page.locator("html")).to_have_attribute("data-stale", "")
        expect(page).to_have_title("○ not known · FKS Master")
        expect(page.locator("#sentence")).to_contain_text("What is true now is not known")
        assert page.locator("#icon").get_attribute("href") == "/static/icon-unknown.svg"
        colours = page.locator(".r .mark").evaluate_all("(all) => all.map((one) => getComputedStyle(one).fill)")
        assert set(colours) == {"none"}
        with monitor("--config", str(targets.config), "--port", port):
            expect(page).to_have_title("● 11 healthy · FKS Master")
            expect(page.locator(".banner")).to_have_count(0)
            assert not page.evaluate("document.documentElement.hasAttribute('data-stale')")


def test_where_reading_needs_a_key_the_page_asks_for_it_and_keeps_it_in_the_tab(window: Tab) -> None:
    with fleet() as targets:
        targets.config.write_text("[server]\npublic_read = false\n" + targets.config.read_text())
        with monitor("--config", str(targets.config), FKS_MONITOR_API_KEY=KEY) as one:
            page = window.page
            page.goto(one.address)
            expect(page.locator("#sentence")).to_have_text("Reading needs a key.")
            page.get_by_role("button", name="Enter the key").click()
            page.get_by_label("Key", exact=True).fill(KEY)
            page.get_by_role("button", name="Use it").click()
            expect(page.locator(".r[data-id]")).to_have_count(11)
            assert page.evaluate("[sessionStorage.length, Object.values(localStorage).join()]")[0] == 1
            assert KEY not in page.evaluate("Object.values(localStorage).join()")
            assert KEY not in page.url
            page.reload()
            expect(page.locator(".r[data-id]")).to_have_count(11)


def test_a_change_that_needs_a_key_asks_for_it_and_then_goes_on(window: Tab) -> None:
    with fleet() as targets, monitor("--config", str(targets.config), FKS_MONITOR_API_KEY=KEY) as one:
        page = window.show(one, "service/fks_auth")
        page.keyboard.press("s")
        page.get_by_role("dialog", name="New silence").get_by_role("button", name="Silence").click()
        page.get_by_label("Key", exact=True).fill(KEY)
        page.get_by_role("button", name="Use it").click()
        headers = {"x_api_key": KEY}
        wait_for(lambda: b"fks_auth" in one.request("/api/silences", **headers)[2])


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A page of somebody else, with nothing on it."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>foreign</title>")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def foreign_page() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


SOCKET = """(address) => new Promise((done) => {
  const socket = new WebSocket(address);
  socket.onmessage = () => done('told');
  socket.onclose = (event) => done(`closed ${event.code}`);
})"""
POST = """(address) => fetch(address, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
  .then((answer) => `answered ${answer.status}`, () => 'refused')"""


def test_a_page_of_another_origin_is_told_nothing_live_and_changes_nothing(window: Tab) -> None:
    with fleet() as targets, monitor("--config", str(targets.config)) as one, foreign_page() as foreign:
        window.page.goto(foreign)
        live = one.address.replace("http", "ws") + "/ws"
        assert window.page.evaluate(SOCKET, live) == "closed 1006"
        assert window.page.evaluate(POST, f"{one.address}/api/services/fks_api/check") in {"refused", "answered 403"}
        assert window.page.evaluate(POST, f"{one.address}/api/silences") in {"refused", "answered 403"}
        assert one.get("/api/silences") == []
        window.page.goto(one.address)
        assert window.page.evaluate(SOCKET, live) == "told"
