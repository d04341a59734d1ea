"""Jobs: what ran and runs, their output as a stream, their end."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fks_master.api.answers import as_json, problem
from fks_master.api.endpoint import Access, Endpoint
from fks_master.api.text import decoded
from fks_master.control.jobs.engine import JobEngine
from fks_master.control.jobs.job import Chunk, Job, JobState

OFF = {"false", "0", "no"}


class JobLine(msgspec.Struct, frozen=True):
    """One line of `GET /api/jobs`."""

    id: str
    action: str
    project: str
    services: tuple[str, ...]
    state: JobState
    started_at: datetime
    finished_at: datetime | None
    duration_seconds: float | None
    status_code: int | None
    output_bytes: int


class Output(msgspec.Struct, frozen=True):
    """Query of the output: where to begin, whether to stay until the end, `text` or `ndjson`."""

    offset: int = 0
    follow: bool = True
    format: str = "text"


def line(job: Job) -> JobLine:
    return JobLine(**{name: getattr(job, name) for name in JobLine.__struct_fields__})


class JobRoutes:
    """Reading needs `read`, cancelling `operate`."""

    def __init__(self, jobs: JobEngine, *, is_enabled: bool) -> None:
        self._jobs = jobs
        self._is_enabled = is_enabled

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path="/api/jobs",
                handle=self.list,
                access=Access.READ,
                summary="Every job that is kept, the latest first",
                answer=list[JobLine],
                errors=(401, 403, 421, 429),
            ),
            Endpoint(
                method="GET",
                path="/api/jobs/{job_id}",
                handle=_found(self.show),
                access=Access.READ,
                summary="One job, with its command and an excerpt of its output",
                answer=Job,
                errors=(401, 403, 404, 421, 429),
            ),
            Endpoint(
                method="GET",
                path="/api/jobs/{job_id}/output",
                handle=_found(self.output),
                access=Access.READ,
                summary="The output from an offset on, streamed as it comes",
                query=Output,
                errors=(400, 401, 403, 404, 421, 429),
                media_type="text/plain",
            ),
            Endpoint(
                method="POST",
                path="/api/jobs/{job_id}/cancel",
                handle=_found(self.cancel),
                access=Access.OPERATE,
                summary="End a job with everything that it started; answers when it has ended",
                answer=Job,
                errors=(401, 403, 404, 421, 429),
            ),
        ]

    async def list(self, _: Request) -> Response:
        return as_json([line(job) for job in self._jobs.jobs])

    async def show(self, request: Request) -> Response:
        return as_json(self._jobs.get(request.path_params["job_id"]))

    async def output(self, request: Request) -> Response:
        job = self._jobs.get(request.path_params["job_id"])
        offset = request.query_params.get("offset", "0")
        form = request.query_params.get("format", "text")
        if not (offset.isascii() and offset.isdigit() and len(offset) < 16) or form not in {"text", "ndjson"}:
            return problem(400, "Bad request", "offset is a number of bytes, format is text or ndjson")
        is_following = request.query_params.get("follow", "true").lower() not in OFF
        chunks = self._jobs.output(job.id, int(offset), is_following=is_following)
        if form == "ndjson":
            return StreamingResponse(_lines(chunks), media_type="application/x-ndjson")
        return StreamingResponse(_bytes(chunks), media_type="text/plain; charset=utf-8")

    async def cancel(self, request: Request) -> Response:
        if not self._is_enabled:
            return problem(403, "Forbidden", "control disabled")
        return as_json(await self._jobs.cancel(request.path_params["job_id"]))


def _found(handle: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Answer 404 for a job that is not known."""

    async def find(request: Request) -> Response:
        try:
            return await handle(request)
        except KeyError:
            return problem(404, "Unknown job", f"no job {request.path_params['job_id'][:100]!r} is kept")

    return find


async def _bytes(chunks: AsyncIterator[Chunk]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield chunk.data


async def _lines(chunks: AsyncIterator[Chunk]) -> AsyncIterator[bytes]:
    async for offset, text in decoded(chunks):
        yield msgspec.json.encode({"offset": offset, "data": text}) + b"\n"
