"""What is known of a job."""

from datetime import datetime
from enum import StrEnum

import msgspec


class JobState(StrEnum):
    """Where a job is; all but the first are final. INTERRUPTED: we ended while it ran."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"

    @property
    def is_final(self) -> bool:
        return self is not JobState.RUNNING


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run. `lock` names what only one job at a time may hold; None: nothing.

    Two orders of one person with the same `key` are one order, sent twice. `traceparent` is the trace to continue.
    """

    action: str
    project: str
    command: tuple[str, ...]
    folder: str
    deadline_seconds: float
    environment: dict[str, str] = {}
    services: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    lock: str | None = None
    requested_by: str | None = None
    request_id: str | None = None
    key: str | None = None
    traceparent: str | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run, as `GET /api/jobs/{id}` shows it.

    `output_bytes` is the offset of the end of the output; of what is longer than the cap, the beginning and the end
    are kept. `stdout` and `stderr` are short forms of the two streams.
    """

    id: str
    action: str
    project: str
    state: JobState
    started_at: datetime
    deadline_seconds: float
    services: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    finished_at: datetime | None = None
    duration_seconds: float | None = None
    status_code: int | None = None
    reason: str | None = None
    output_bytes: int = 0
    lost_bytes: int = 0
    stdout: str = ""
    stderr: str = ""
    lock: str | None = None
    requested_by: str | None = None
    request_id: str | None = None
    key: str | None = None


class Chunk(msgspec.Struct, frozen=True):
    """A piece of output. It begins at `offset`, later than asked for if what was between is no longer kept."""

    offset: int
    data: bytes
