"""Compose over REST: waits for the end as the seed has it, or answers with the job."""

from collections.abc import Mapping

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from fks_master.api.answers import as_json
from fks_master.api.endpoint import Access, Endpoint
from fks_master.api.routes.control import origin_of
from fks_master.api.routes.jobs import JobLine, line
from fks_master.control.compose import Composer, Outcome
from fks_master.control.jobs.engine import JobEngine
from fks_master.docker.compose.request import Body, parse
from fks_master.errors import BusyError, ComposeRefusedError, ComposeUnavailableError, FksError
from fks_master.metrics import Metrics

log = structlog.get_logger(__name__)

LONGEST_BODY = 1 << 18
STATUS: Mapping[type[FksError], int] = {ComposeRefusedError: 400, BusyError: 409, ComposeUnavailableError: 503}


class Result(msgspec.Struct, frozen=True):
    """The answer, for the document: the outcome is there nested and flat."""

    ok: bool
    result: Outcome


class ComposeRefusal(msgspec.Struct, frozen=True):
    """A problem document, for the description, that also says it where existing clients look."""

    type: str
    title: str
    status: int
    detail: str
    ok: bool
    success: bool
    status_code: int
    stdout: str
    stderr: str
    job_id: str | None = None


class ComposeStarted(msgspec.Struct, frozen=True):
    """A job that goes on; `job` as in `/api/jobs`."""

    ok: bool
    job_id: str
    job: JobLine


def failure(status: int, reason: str, **more: object) -> Response:
    """Return a problem document that also carries the reason where existing clients look."""
    body = {
        "type": "about:blank",
        "title": "Compose refused",
        "status": status,
        "detail": reason,
        "ok": False,
        "success": False,
        "status_code": -1,
        "stdout": "",
        "stderr": reason,
        **more,
    }
    return Response(msgspec.json.encode(body), status, media_type="application/problem+json")


def both_forms(outcome: Outcome) -> dict[str, object]:
    fields = msgspec.to_builtins(outcome)
    return {"ok": outcome.success, "result": fields, **fields}


class ComposeRoutes:
    """`POST /api/compose`."""

    def __init__(self, composer: Composer, jobs: JobEngine, metrics: Metrics, *, is_enabled: bool) -> None:
        self._composer = composer
        self._jobs = jobs
        self._metrics = metrics
        self._is_enabled = is_enabled

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="POST",
                path="/api/compose",
                handle=self.compose,
                access=Access.OPERATE,
                summary="Run a Compose action for a project; with wait false, or logs with detach, 202 and the job",
                body=Body,
                answer=Result,
                errors=(400, 401, 403, 409, 413, 421, 429, 500, 503),
                refuse=self.refuse,
                refusal=ComposeRefusal,
                also=((202, ComposeStarted), (500, Result)),
            )
        ]

    def refuse(self, _: Request, status: int, reason: str) -> Response:
        self._metrics.refuse_compose()
        return failure(status, "unauthorized" if status == 401 else reason)

    async def compose(self, request: Request) -> Response:
        if not self._is_enabled:
            return failure(403, "control disabled")
        content = await _body(request)
        if content is None:
            return failure(413, f"the body is longer than {LONGEST_BODY >> 10} KiB")
        try:
            return await self._run(content, request)
        except (ComposeRefusedError, ComposeUnavailableError) as error:
            return failure(STATUS[type(error)], str(error))
        except BusyError as error:
            return failure(409, str(error), job_id=error.job_id)
        except Exception:
            log.exception("compose_failed")
            return failure(500, "the monitor failed to answer; its log says why, by the X-Request-Id")

    async def _run(self, content: bytes, request: Request) -> Response:
        asked = parse(content)
        if asked.dry_run:
            plan = await self._composer.plan(asked)
            return as_json(both_forms(plan), 200 if plan.success else 500)
        job = await self._composer.start(asked, origin_of(request))
        if not asked.wait or asked.is_following:
            return as_json({"ok": True, "job_id": job.id, "job": line(job)}, 202)
        outcome = await self._composer.outcome(await self._jobs.wait(job.id))
        return as_json(both_forms(outcome), 200 if outcome.success else 500)


async def _body(request: Request) -> bytes | None:
    """Read the body; None if it is too long."""
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > LONGEST_BODY:
            return None
    return bytes(content)
