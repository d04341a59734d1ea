"""Questions to a running monitor, for the commands that are its clients."""

import asyncio
import difflib
import http.client
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.parse import quote

import click
import msgspec

from fks_master.clock import SystemClock
from fks_master.errors import FksError

F = TypeVar("F", bound=Callable[..., object])
DEFAULT_URL = "http://127.0.0.1:9090"
SECONDS = 30.0
RECONNECT_SECONDS = 2.0


class ClientError(FksError):
    """The monitor cannot be reached, or refused; the message says what to do."""


def options(command: F) -> F:
    """Add --url and --key-file. The key itself is never an argument: everybody on the machine sees those."""
    for add in (
        click.option("--key-file", type=click.Path(path_type=Path), help="A file with the key [FKS_MONITOR_API_KEY]."),
        click.option("--url", help=f"The monitor [FKS_MASTER_URL, else {DEFAULT_URL}]."),
    ):
        command = add(command)
    return command


class Client:
    """One monitor."""

    def __init__(self, url: str | None, key_file: Path | None) -> None:
        self.url = (url or os.environ.get("FKS_MASTER_URL") or DEFAULT_URL).rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            raise ClientError(f"{self.url}: expected an address that begins with http:// or https://")
        self._key = _key(key_file)

    def open(self, path: str, method: str = "GET", seconds: float | None = SECONDS, body: object = None) -> IO[bytes]:
        """Raise ClientError unless the answer is a success. `body` is sent as JSON."""
        headers = self._headers()
        data = None if body is None else msgspec.json.encode(body)
        headers |= {} if data is None else {"content-type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310 - checked above
        try:
            answer: IO[bytes] = urllib.request.urlopen(request, timeout=seconds)  # noqa: S310
        except urllib.error.HTTPError as error:
            raise ClientError(self._refusal(error)) from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            reason = getattr(reason, "strerror", None) or reason
            message = f"no monitor answers at {self.url}: {reason}; start one with fks_master, or say --url"
            raise ClientError(message) from error
        return answer

    def get(self, path: str, method: str = "GET", body: object = None, seconds: float = SECONDS) -> Any:  # noqa: ANN401 - JSON
        """Return what is answered; None where that is nothing."""
        with self.open(path, method, seconds, body) as answer, self._unbroken():
            found = answer.read()
        return msgspec.json.decode(found) if found else None

    def pour(self, path: str, seconds: float | None = None) -> None:
        """Write an answer to the standard output as it comes. Raises ClientError where it breaks off."""
        with self.open(path, seconds=seconds) as answer, self._unbroken():
            while piece := answer.read1(1 << 16):  # type: ignore[attr-defined]
                sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()

    @contextmanager
    def _unbroken(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:  # who reads us has had enough
            raise
        except (OSError, http.client.HTTPException) as error:
            raise ClientError(f"the monitor at {self.url} broke off: {error or type(error).__name__}") from error

    def feed(self, filters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield an empty message whenever the live feed has been opened, and what it sends; a break of it is mended.

        Raises ClientError where it cannot be opened at first.
        """
        is_open = False
        while True:
            try:
                for message in self._messages(filters):
                    is_open = True
                    yield message
            except ClientError:
                if not is_open:
                    raise
            click.echo("the connection is lost; trying again", err=True)
            asyncio.run(SystemClock().sleep(RECONNECT_SECONDS))

    def _messages(self, filters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Read one connection to its end."""
        from websockets.exceptions import ConnectionClosed, InvalidHandshake  # noqa: PLC0415 - only who follows needs it
        from websockets.sync.client import connect  # noqa: PLC0415

        address = f"ws{self.url.removeprefix('http')}/ws"
        wanted = msgspec.json.encode({"command_type": "subscribe_events", **filters}).decode()
        try:
            with connect(address, additional_headers=self._headers(), open_timeout=SECONDS, max_size=None) as socket:
                socket.send(wanted)
                yield {}
                while True:
                    yield msgspec.json.decode(socket.recv())
        except ConnectionClosed:
            return
        except (OSError, InvalidHandshake) as error:
            raise ClientError(f"no live feed at {address}: {error}") from error

    def _headers(self) -> dict[str, str]:
        if not self._key:
            return {}
        is_token = self._key.count(".") == 2
        return {"authorization": f"Bearer {self._key}"} if is_token else {"x-api-key": self._key}

    def service(self, service_id: str) -> str:
        """Return the path of a service; raises ClientError with what was probably meant."""
        known = [one["id"] for one in self.get("/api/services")]
        if service_id in known:
            return f"/api/services/{quote(service_id, safe='')}"
        near = difflib.get_close_matches(service_id, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}"
        raise ClientError(f"no service {service_id!r} is watched{hint}")

    def _refusal(self, error: urllib.error.HTTPError) -> str:
        with error:
            body = error.read(65536)
        try:
            said = msgspec.json.decode(body)
            reason = str(said.get("detail") or said.get("message") or said)
        except (msgspec.DecodeError, AttributeError):
            reason = str(error.reason)
        hint = "; set FKS_MONITOR_API_KEY or say --key-file" if error.code == 401 else ""
        return f"{self.url} refused ({error.code}): {reason}{hint}"


def printable(text: str) -> str:
    """Keep what a target wrote from steering the terminal."""
    return "".join(one if one.isprintable() else "�" for one in text)


def _key(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get("FKS_MONITOR_API_KEY") or None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise ClientError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}") from error
