"""The audit trail: every attempt to act, allowed or not, one JSON object a line, only ever appended."""

import asyncio
import os
from collections import deque
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from fks_master.api.answers import as_json, problem
from fks_master.api.endpoint import Access, Endpoint

log = structlog.get_logger(__name__)

REMEMBERED = 1000
MAX_TEXT = 300
REFUSED = {401, 403, 421, 429}
REPEAT_SECONDS = 1.0
FLOOD = 10  # as many repeats within that time, and they are summed up by the minute
FLOOD_SECONDS = 60.0
MANY = "many addresses"


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """Who tried what, from where, and what came of it. `outcome` is the HTTP status, for commands likewise.

    Refusals that repeat within a second, in a flood within a minute, stand in one line; `count` says how many.
    """

    at: datetime
    who: str
    address: str
    action: str
    target: str
    request_id: str
    outcome: int
    seconds: float
    count: int = 1


class Audit:
    """Writes to `path` from a thread; the latest thousand attempts are also at hand."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._latest = deque(_read_last(path), maxlen=REMEMBERED)
        self._waiting: list[Attempt] = []
        self._wake = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None
        self._repeats: dict[tuple[str, str, str, int], Attempt | None] = {}
        self._repeat_seconds = REPEAT_SECONDS
        self.lost = 0

    @property
    def latest(self) -> list[Attempt]:
        """The newest first."""
        return list(reversed(self._latest))

    def record(self, attempt: Attempt) -> None:
        """Take note. Who is refused again and again can fill neither the disk nor what is at hand."""
        if attempt.outcome not in REFUSED:
            self._keep(attempt)
            return
        key = (attempt.who, attempt.address, attempt.action, attempt.outcome)
        if key not in self._repeats and len(self._repeats) >= REMEMBERED:
            attempt = msgspec.structs.replace(attempt, address=MANY)
            key = (attempt.who, MANY, attempt.action, attempt.outcome)
        if key in self._repeats:
            known = self._repeats[key]
            self._repeats[key] = msgspec.structs.replace(attempt, count=known.count + 1 if known else 1)
            return
        if not self._repeats:
            asyncio.get_running_loop().call_later(self._repeat_seconds, self._settle)
        self._repeats[key] = None
        self._keep(attempt)

    def _settle(self) -> None:
        repeats, self._repeats = list(filter(None, self._repeats.values())), {}
        for attempt in repeats:
            self._keep(attempt)
        is_flooded = sum(attempt.count for attempt in repeats) >= FLOOD
        self._repeat_seconds = FLOOD_SECONDS if is_flooded else REPEAT_SECONDS

    def _keep(self, attempt: Attempt) -> None:
        self._latest.append(attempt)
        if len(self._waiting) >= REMEMBERED * 10:
            self.lost += 1
            return
        self._waiting.append(attempt)
        self._wake.set()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._flush()

    async def close(self) -> None:
        self._settle()
        await self._flush()

    async def _flush(self) -> None:
        if self._writing:
            await asyncio.wait({self._writing})  # a flush that was cancelled writes on in its thread: order matters
        batch, self._waiting = self._waiting, []
        if batch:
            self._writing = asyncio.create_task(self._write(batch))
            await asyncio.shield(self._writing)

    async def _write(self, batch: list[Attempt]) -> None:
        try:
            await asyncio.to_thread(_append, self._path, batch)
        except OSError as error:
            self.lost += len(batch)
            log.error("audit_not_written", path=str(self._path), reason=error.strerror, attempts=len(batch))  # noqa: TRY400


def _append(path: Path, batch: list[Attempt]) -> None:
    """Write them down; behind a line that a crash or a full disk cut off, on a line of their own."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = b"".join(msgspec.json.encode(attempt) + b"\n" for attempt in batch)
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        with suppress(OSError):
            os.fchmod(descriptor, 0o600)  # it may have been copied here
        size = os.fstat(descriptor).st_size
        is_torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        left = memoryview(b"\n" + lines if is_torn else lines)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_last(path: Path) -> list[Attempt]:
    """Read the end of the file; a line cut off by a crash is passed over."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - REMEMBERED * 500))
            lines = file.read().splitlines()[-REMEMBERED:]
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            found.append(msgspec.json.decode(line, type=Attempt))
        except msgspec.DecodeError:
            continue
    return found


class AuditRoutes:
    """Reading the trail."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path="/api/audit",
                handle=self.latest,
                access=Access.READ,
                summary="Who tried to change what: the latest first, at most `limit` (100)",
                answer=list[Attempt],
                errors=(400, 401, 403, 421, 429),
            )
        ]

    async def latest(self, request: Request) -> Response:
        limit = request.query_params.get("limit", "100")
        if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit[:9]) <= REMEMBERED:
            return problem(400, "Bad request", f"limit: expected a whole number from 1 to {REMEMBERED}")
        return as_json(self._audit.latest[: int(limit)])
