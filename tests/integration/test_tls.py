"""TLS of a running monitor: what it speaks, how it takes up a new certificate, and what it says when it has none."""

import asyncio
import http.client
import json
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.chromium import chromium, tab
from tests.process import PATIENCE, Monitor, monitor, start, wait_for
from tests.servers import make_certificate
from websockets.asyncio.client import connect

ONE = '[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n'


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "monitor.toml").write_text(ONE)
    return make_certificate(tmp_path)


def named(certificate: Path, key: Path, **more: str) -> dict[str, str]:
    return {"FKS_TLS_CERT": str(certificate), "FKS_TLS_KEY": str(key), **more}


@contextmanager
def encrypted(folder: Path, certificate: Path, key: Path) -> Iterator[Monitor]:
    with monitor("--config", str(folder / "monitor.toml"), **named(certificate, key, FKS_TLS_REQUIRED="1")) as one:
        assert one.address.startswith("https://")
        yield one


def shake_hands(one: Monitor, trust: ssl.SSLContext) -> tuple[str | None, bytes | None]:
    """Return the version spoken and the certificate shown."""
    host, port = one.address.removeprefix("https://").split(":")
    with (
        socket.create_connection((host, int(port)), PATIENCE) as plain,
        trust.wrap_socket(plain, server_hostname=host) as encrypted,
    ):
        return encrypted.version(), encrypted.getpeercert(binary_form=True)


def anyone() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def replace(new: tuple[Path, Path], old: tuple[Path, Path]) -> None:
    for source, target in zip(new, old, strict=True):
        os.replace(source, target)  # noqa: PTH105


async def test_api_and_live_feed_are_served_encrypted(pair: tuple[Path, Path], tmp_path: Path) -> None:
    with encrypted(tmp_path, *pair) as one:
        trust = ssl.create_default_context(cafile=pair[0])
        connection = http.client.HTTPSConnection(one.address.removeprefix("https://"), context=trust)
        connection.request("GET", "/api/status")
        assert json.loads(connection.getresponse().read())["tls"] is True
        connection.close()
        async with connect(one.address.replace("https", "wss") + "/ws", ssl=trust) as feed, asyncio.timeout(PATIENCE):
            assert json.loads(await feed.recv())["type"] == "initial"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_only_tls_1_2_and_later_are_spoken(pair: tuple[Path, Path], tmp_path: Path) -> None:
    with encrypted(tmp_path, *pair) as one:
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            client = anyone()
            client.minimum_version = client.maximum_version = version
            assert shake_hands(one, client)[0] == name
        old = anyone()
        old.set_ciphers("ALL:@SECLEVEL=0")  # the client itself would refuse to ask
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        with pytest.raises(OSError, match=r"UNEXPECTED_EOF|PROTOCOL_VERSION|reset"):
            shake_hands(one, old)


async def test_a_renewed_certificate_is_taken_up_and_no_connection_ends(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    with encrypted(tmp_path, *pair) as one:
        before = shake_hands(one, anyone())[1]
        address = one.address.replace("https", "wss") + "/ws"
        async with connect(address, ssl=anyone()) as feed, asyncio.timeout(2 * PATIENCE):
            (tmp_path / "new").mkdir()
            replace(make_certificate(tmp_path / "new"), pair)
            wait_for(lambda: shake_hands(one, anyone())[1] != before)
            assert shake_hands(one, ssl.create_default_context(cafile=pair[0]))[1]
            await feed.send(json.dumps({"command_type": "clear_subscription"}))
            while json.loads(await feed.recv())["type"] != "subscription_cleared":
                pass


def test_a_certificate_that_cannot_be_taken_up_is_said_and_the_old_one_stays(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    def warnings() -> list[str]:
        connection = http.client.HTTPSConnection(one.address.removeprefix("https://"), context=anyone())
        connection.request("GET", "/api/status")
        found: list[str] = json.loads(connection.getresponse().read())["warnings"]
        connection.close()
        return [text for text in found if "certificate" in text]

    with encrypted(tmp_path, *pair) as one:
        before = shake_hands(one, anyone())[1]
        content = pair[0].read_text()
        pair[0].write_text("half a cert")
        wait_for(lambda: "certificate_not_renewed" in one.log)
        assert len(warnings()) == 1
        assert shake_hands(one, anyone())[1] == before
        pair[0].write_text(content)
        wait_for(lambda: not warnings())


def test_without_a_usable_certificate_the_log_the_status_and_the_dashboard_say_so(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text(ONE)
    where = named(tmp_path / "none.pem", tmp_path / "none.pem", FKS_JSON_LOG="1")
    with monitor("--config", str(tmp_path / "monitor.toml"), **where) as one:
        assert one.address.startswith("http://")
        line = next(json.loads(line) for line in one.log.splitlines() if "tls_off" in line)
        assert line["level"] == "error"
        assert "none.pem" in line["reason"]
        standing = one.get("/api/status")
        assert standing["tls"] is False
        assert any("TLS is off" in text for text in standing["warnings"])
        with chromium() as browser, tab(browser) as window:
            window.page.goto(one.address)
            expect(window.page.get_by_text("TLS is off")).to_be_visible()


@pytest.mark.parametrize("is_there", [True, False])
def test_where_tls_is_required_nothing_starts_without_it(tmp_path: Path, is_there: bool) -> None:
    (tmp_path / "monitor.toml").write_text(ONE)
    where = named(tmp_path / "none.pem", tmp_path / "none.pem") if is_there else {}
    with start("--config", "monitor.toml", folder=tmp_path, FKS_TLS_REQUIRED="1", **where) as process:
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert ("none.pem" if is_there else "FKS_TLS_CERT and FKS_TLS_KEY not set") in errors.decode()
    assert "Traceback" not in errors.decode()
