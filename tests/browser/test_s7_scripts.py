"""S7: script in every stored string runs nowhere, and the policy of the page forbids it anyway."""

import json
from pathlib import Path

from playwright.sync_api import expect
from tests.browser.chromium import Tab
from tests.process import monitor, wait_for

CORPUS = (
    "<img src=x onerror=document.title='taken'>",
    "<script>document.title='taken'</script>",
    "<svg/onload=document.title='taken'>",
    "\"><iframe srcdoc='<script>parent.document.title=1</script>'></iframe>",
    "'\" autofocus onfocus=document.title='taken' x=",
    "javascript:document.title='taken'",
    "{{constructor.constructor('document.title=1')()}}",
    "</title></textarea><style>*{display:none}</style>",
    "&lt;img src=x onerror=alert(1)&gt;",
    "\u202etxt.exe",
)
PAGES = ("", "?view=grid", "service/a0", "incidents", "incident/INCIDENT", "alerts", "map", "activity", "wall")
FORBIDDEN = "script[src='x'], main img, main iframe, main object, [onerror], [onload], [onfocus], main script"


def config(folder: Path) -> Path:
    lines = []
    for number, text in enumerate(CORPUS):
        quoted = json.dumps(text, ensure_ascii=False)
        needs = json.dumps([f"a{number - 1}"]) if number else "[]"
        lines.append(
            f'[[services]]\nid = "a{number}"\nname = {quoted}\ngroup = {quoted}\nlabels = {{ x = {quoted} }}\n'
            f'health_endpoint = "http://127.0.0.1:1/"\ndepends_on = {needs}\n'
            "interval_seconds = 1\n"
        )
    path = folder / "monitor.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_nothing_from_outside_runs_on_any_page(window: Tab, tmp_path: Path) -> None:
    with monitor("--config", str(config(tmp_path))) as one:
        policy = one.request("/")[1]["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe-inline" not in policy
        wait_for(lambda: one.get("/api/incidents?state=open")["incidents"])
        incident = one.get("/api/incidents")["incidents"][0]["id"]
        for text in CORPUS:
            one.request(f"/api/incidents/{incident}/notes", "POST", {"text": text, "by": text})
            one.request(
                "/api/silences", "POST", {"matchers": {"service_id": "a*"}, "comment": text, "duration_seconds": 600}
            )
        for where in PAGES:
            page = window.show(one, where.replace("INCIDENT", incident))
            expect(page.locator("#sentence")).not_to_be_empty()
            assert page.title().endswith("FKS Master"), where
            assert page.locator(FORBIDDEN).count() == 0, where
            assert page.evaluate("getComputedStyle(document.querySelector('#sentence')).display") != "none"
        assert window.errors == []


def test_what_is_asked_for_in_the_address_is_a_text(window: Tab, tmp_path: Path) -> None:
    with monitor("--config", str(config(tmp_path))) as one:
        for text in CORPUS[:4]:
            page = window.page
            page.goto(f"{one.address}/?q={text}#service/{text}")
            expect(page.locator("#sentence")).not_to_be_empty()
            assert page.locator(FORBIDDEN).count() == 0
            assert "taken" not in page.title()
