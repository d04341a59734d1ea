"""Chromium driven over its own protocol: https://chromedevtools.github.io/devtools-protocol/."""

import base64
import json
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.process import PATIENCE, wait_for
from tests.tools import tool
from websockets.sync.client import ClientConnection, connect

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0",
)  # fmt: skip


class Page:
    """One tab. `errors` are the exceptions and the console's errors since it was opened."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self.errors: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(PATIENCE))
            self._note(message)
            if message.get("id") == self._number:
                result: dict[str, Any] = message.get("result", message)
                return result

    def _note(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(message["params"]["exceptionDetails"])[:500])
        entry = message.get("params", {}).get("entry", {})
        if message.get("method") == "Log.entryAdded" and entry["level"] == "error":
            self.errors.append(entry["text"])

    def open(self, address: str) -> None:
        self.call("Page.navigate", url=address)

    def ask(self, expression: str) -> Any:
        found = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until the page says so."""
        wait_for(lambda: bool(self.ask(expression)))

    def press(self, key: str, modifiers: int = 0) -> None:
        """Press a key; modifiers are Chromium's: 2 is Control."""
        text = {"text": key} if len(key) == 1 and not modifiers else {}
        named = {"Enter": {"text": "\r"}}.get(key, text)
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, modifiers=modifiers, **named)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, modifiers=modifiers)

    def resize(self, width: int, height: int) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def theme(self, name: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def picture(self) -> bytes:
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])


@contextmanager
def chrome() -> Iterator[Page]:
    """Run a browser of our own with one empty tab."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [tool("chromium", "chromium"), *FLAGS, f"--user-data-dir={folder}", "about:blank"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                with connect(_address(Path(folder)), max_size=None) as socket:
                    yield Page(socket)
            finally:
                process.terminate()
                process.wait(PATIENCE)


def _address(folder: Path) -> str:
    """Find the tab: Chromium writes its port into a file once it listens."""
    port_file = folder / "DevToolsActivePort"
    wait_for(lambda: port_file.exists() and port_file.read_text().strip())
    port = port_file.read_text().splitlines()[0]

    def tabs() -> list[dict[str, str]]:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=PATIENCE) as answer:
            return [tab for tab in json.load(answer) if tab["type"] == "page"]

    wait_for(tabs)
    return tabs()[0]["webSocketDebuggerUrl"]
