"""The public status page of a running monitor."""

import signal
from pathlib import Path

from tests.faults.oracle import Ledger, serving
from tests.process import monitor, wait_for

PAGE = '[status_page]\nenabled = true\ntitle = "Acme"\nservices = ["shop"]\n'


def test_it_shows_what_was_chosen_and_nothing_else(tmp_path: Path) -> None:
    ledger = Ledger(["shop", "vault"])
    with serving(ledger.handler()) as targets:
        head = "[alerts]\nconsecutive_failures_threshold = 1\n[monitoring]\nretry_attempts = 1\n"
        rest = f'{head}[server]\npublic_read = false\n{ledger.config(targets, 0.2)}name = "Vault"\n'
        config = tmp_path / "monitor.toml"
        config.write_text(rest)
        with monitor("--config", "monitor.toml", folder=tmp_path, FKS_MONITOR_API_KEY="key") as one:
            assert one.request("/status")[0] == 404
            assert one.request("/status/shop/uptime.svg")[0] == 404
            config.write_text(PAGE + rest)
            one.process.send_signal(signal.SIGHUP)
            wait_for(lambda: one.request("/status")[0] == 200)
            ledger.set("shop", is_up=False)
            wait_for(lambda: "shop is down" in one.request("/status")[2].decode())
            _, headers, body = one.request("/status")
            html = body.decode()
            assert "vault" not in html.lower()
            assert targets.split("//")[1] not in html
            assert "503" not in html
            assert "<script" not in html
            assert "http://" not in html.replace("http://www.w3.org", "")
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert b"Unhealthy" in one.request("/status/shop/health.svg")[2]
            assert b"uptime 90d" in one.request("/status/shop/uptime.svg")[2]
            assert one.request("/status/vault/health.svg")[0] == 404
            assert one.request("/static/status.css")[0] == 200
