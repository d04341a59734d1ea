"""Asks our own /health: exit 0 if all is well. Nothing but sockets, because it runs every half a minute."""

import os
import socket
import sys
from pathlib import Path

SECONDS = 4.0
QUESTION = b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n"


def main() -> str | None:
    """Return what is wrong, or nothing."""
    reason = ""
    for is_encrypted in (True, False) if os.environ.get("FKS_TLS_CERT") else (False,):
        try:
            first = _ask(is_encrypted=is_encrypted)
        except OSError as error:
            reason = str(error)
            continue
        return None if b" 200 " in first else first.decode(errors="replace")
    return reason


def _ask(*, is_encrypted: bool) -> bytes:
    with socket.create_connection((_host(), _port()), SECONDS) as plain:
        if not is_encrypted:
            return _first_line(plain)
        import ssl  # noqa: PLC0415 - half of the whole cost, and rarely needed

        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE  # our own certificate, on our own machine
        with trust.wrap_socket(plain) as one:
            return _first_line(one)


def _first_line(one: socket.socket) -> bytes:
    one.sendall(QUESTION)
    return one.recv(200).partition(b"\r\n")[0]


def _host() -> str:
    host = _said("--host") or os.environ.get("FKS_MASTER_HOST") or "127.0.0.1"
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - asks, does not bind


def _port() -> int:
    return int(_said("--port") or os.environ.get("FKS_MASTER_PORT") or 9090)


def _said(option: str) -> str | None:
    """Return what the container's own command line says."""
    words = Path("/proc/1/cmdline").read_text().split("\0")
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == option:
            return following
        if word.startswith(f"{option}="):
            return word.removeprefix(f"{option}=")
    return None


if __name__ == "__main__":
    sys.exit(main())
