#!/usr/bin/env python3
"""A local receiver that prints each webhook it gets; it needs nothing but Python.

scripts/webhook_receiver.py --port 9999
and in config/monitor.toml: webhook_url = "http://127.0.0.1:9999/"
"""

import argparse
import hashlib
import hmac
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LIMIT = 1024 * 1024


class Receiver(BaseHTTPRequestHandler):
    """Answers every POST with the status that was asked for."""

    status = 200
    secret: bytes | None = None

    def do_POST(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), LIMIT)
        body = self.rfile.read(length)
        print(describe(body), self.signature(body), sep="\n", end="\n\n", flush=True)
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def signature(self, body: bytes) -> str:
        given = self.headers.get("X-FKS-Signature")
        if self.secret is None or given is None:
            return f"signature: {given or 'none'}"
        stamp = self.headers.get("X-FKS-Timestamp", "").encode()
        right = hmac.new(self.secret, stamp + b"." + body, hashlib.sha256).hexdigest()
        return f"signature: {'right' if hmac.compare_digest(given.removeprefix('sha256='), right) else 'WRONG'}"

    def log_message(self, *_: object) -> None:
        """Stay silent; what came is printed already."""


def describe(body: bytes) -> str:
    try:
        found = json.loads(body)
    except ValueError:
        return f"not JSON: {body[:500]!r}"
    return json.dumps(found, indent=2, ensure_ascii=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Print each webhook that arrives.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9999, help="0: any free one")
    parser.add_argument("--status", type=int, default=200, help="what to answer, 500 say, to see retries")
    parser.add_argument("--secret", help="check the HMAC signature with this")
    options = parser.parse_args()
    Receiver.status = options.status
    Receiver.secret = options.secret.encode() if options.secret else None
    server = ThreadingHTTPServer((options.host, options.port), Receiver)
    print(f"Listening on http://{options.host}:{server.server_port}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
