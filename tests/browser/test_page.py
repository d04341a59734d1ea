"""The page in a real browser: what it shows, and that nothing from outside runs in it."""

import contextlib
import subprocess
from pathlib import Path

import pytest
from tests.process import fleet, monitor, wait_for
from tests.tools import tool

SCRIPT = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--virtual-time-budget=4000", "--timeout=8000", "--dump-dom",
)  # fmt: skip

pytestmark = pytest.mark.timeout(180)


def page(address: str, folder: Path, path: str = "/") -> str:
    """Return what the browser has made of a page once it is quiet; Chromium now and then needs a second try."""
    command = [tool("chromium", "chromium"), *FLAGS, f"--user-data-dir={folder}/profile", address + path]
    for _ in range(3):
        with contextlib.suppress(subprocess.TimeoutExpired):
            dom = subprocess.run(command, capture_output=True, text=True, timeout=40, check=False).stdout
            if "<table" in dom or "facts" in dom or "Nothing matches" in dom:
                return dom
    raise AssertionError("the page did not come alive")


def test_the_page_says_in_one_sentence_what_is_wrong(tmp_path: Path) -> None:
    with fleet() as targets, monitor("--config", str(targets.config)) as one:
        targets.behave("fks_api", "error")
        wait_for(lambda: any(each["is_down"] for each in one.get("/api/services")))
        dom = page(one.address, tmp_path)
        assert "FKS API is down since" in dom
        assert "HTTP 500" in dom
        assert "■ 1 unhealthy · FKS Master" in dom
        assert dom.count("data-id=") == 11
        found = page(one.address, tmp_path, "/?status=Unhealthy")
        assert found.count("data-id=") == 1
        detail = page(one.address, tmp_path, "/#service/fks_api")
        assert "FKS API: unhealthy since" in detail
        assert "health_endpoint" in detail


def test_nothing_from_outside_runs_in_the_page(tmp_path: Path) -> None:
    config = tmp_path / "monitor.toml"
    config.write_text(
        f"[[services]]\nid = \"a\"\nname = '''{SCRIPT}'''\ngroup = '''{SCRIPT}'''\nlabels = {{ x = '''{SCRIPT}''' }}\n"
        'health_endpoint = "http://127.0.0.1:1/"\n'
    )
    with monitor("--config", str(config)) as one:
        wait_for(lambda: one.status("a") == "Unhealthy")
        policy = one.request("/")[1]["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe-inline" not in policy
        for path in ("/", "/#service/a", "/?q=<img>"):
            dom = page(one.address, tmp_path, path)
            assert "<title>taken" not in dom
            assert "<img" not in dom
