"""What a simulated service answers: one small function a behaviour, each returning the bytes of a whole answer."""

import json
import random
from collections.abc import Callable, Mapping
from enum import StrEnum
from http import HTTPStatus


class Behaviour(StrEnum):
    """The ways in which a service can be well or ill."""

    OK = "ok"
    SLOW = "slow"  # answers after a second and a half
    ERROR = "error"  # HTTP 500
    HANG = "hang"  # accepts and says nothing
    REFUSE = "refuse"  # nobody listens
    RESET = "reset"  # closes the connection with RST
    FLAP = "flap"  # good and bad by turns, five seconds each
    DEGRADED = "degraded"  # a detailed body that tells of a broken dependency
    UNHEALTHY = "unhealthy"  # HTTP 200 with a body that says no
    BAD_JSON = "bad_json"  # HTTP 200 with half an object
    HUGE = "huge"  # HTTP 200 with ten megabytes


SLOW_SECONDS = 1.5
FLAP_SECONDS = 5.0

Write = Callable[[float], bytes]


def _answer(status: HTTPStatus, body: bytes, kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _health(status: str, **parts: Mapping[str, object]) -> bytes:
    return _answer(HTTPStatus.OK, json.dumps({"status": status, **parts}).encode())


def _part(status: str, message: str | None = None) -> dict[str, object]:
    return {"status": status, "latency_ms": round(random.uniform(0.3, 4), 2), "message": message}


def _ok(_: float) -> bytes:
    return _health("healthy", components={"worker_pool": _part("healthy")}, dependencies={"postgres": _part("healthy")})


def _error(_: float) -> bytes:
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, b'{"error": "connection pool exhausted"}')


def _flap(now: float) -> bytes:
    return _ok(now) if int(now / FLAP_SECONDS) % 2 else _error(now)


def _degraded(_: float) -> bytes:
    broken = _part("unhealthy", "connection refused; answering from the database")
    return _health("degraded", components={"cache": _part("degraded", "cold")}, dependencies={"redis": broken})


def _unhealthy(_: float) -> bytes:
    return _health("unhealthy", dependencies={"postgres": _part("unhealthy", "too many connections")})


def _bad_json(_: float) -> bytes:
    return _answer(HTTPStatus.OK, b'{"status": "healthy", "components": {')


def _huge(_: float) -> bytes:
    return _answer(HTTPStatus.OK, b"x" * 10_000_000, "text/plain")


# Behaviours that answer; HANG, REFUSE and RESET do not.
ANSWERS: dict[Behaviour, Write] = {
    Behaviour.OK: _ok,
    Behaviour.SLOW: _ok,
    Behaviour.ERROR: _error,
    Behaviour.FLAP: _flap,
    Behaviour.DEGRADED: _degraded,
    Behaviour.UNHEALTHY: _unhealthy,
    Behaviour.BAD_JSON: _bad_json,
    Behaviour.HUGE: _huge,
}
