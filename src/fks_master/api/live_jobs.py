"""Jobs over `/ws`: start one by `compose`, follow any by `follow_job`, end one by `cancel_job`."""

from collections.abc import Awaitable, Callable

import msgspec

from fks_master.api.auth import Caller
from fks_master.api.commands import Fields, RefusedError, Remote, Send, key_of
from fks_master.api.endpoint import Access
from fks_master.api.routes.compose import both_forms
from fks_master.api.routes.jobs import line
from fks_master.api.text import decoded
from fks_master.control.compose import Composer
from fks_master.control.controller import Origin
from fks_master.control.jobs.engine import JobEngine
from fks_master.control.jobs.job import Job
from fks_master.docker.compose.request import convert
from fks_master.errors import BusyError, ComposeRefusedError, ComposeUnavailableError

Handle = Callable[[Fields, Send, Origin], Awaitable[None]]

NOT_OF_THE_BODY = ("command_type", "token", "idempotency_key")


class JobCommands:
    """The commands that start, follow and end jobs."""

    def __init__(self, composer: Composer, jobs: JobEngine, unauthorized: Callable[[], None], *, may_act: bool) -> None:
        self._composer = composer
        self._jobs = jobs
        self._unauthorized = unauthorized
        self._may_act = may_act

    def table(self) -> dict[str, Remote]:
        about = ("action", "job_id")
        compose, cancel = self._acting(self._compose), self._acting(self._cancel_job)
        follow = _told_as_refusals(self._follow_job)
        return {
            "compose": Remote(access=Access.OPERATE, handle=compose, about=about, unauthorized=self._unauthorized),
            "follow_job": Remote(access=Access.READ, handle=follow, about=about),
            "cancel_job": Remote(access=Access.OPERATE, handle=cancel, about=about),
        }

    def _acting(self, handle: Handle) -> Callable[[Fields, Caller, Send], Awaitable[None]]:
        async def checked(fields: Fields, send: Send, origin: Origin) -> None:
            if not self._may_act:
                raise RefusedError(403, "control disabled")
            await handle(fields, send, origin)

        return _told_as_refusals(checked)

    async def _compose(self, fields: Fields, send: Send, origin: Origin) -> None:
        request = convert({name: value for name, value in fields.items() if name not in NOT_OF_THE_BODY})
        if request.dry_run:
            await send({"type": "compose_result", **both_forms(await self._composer.plan(request))})
            return
        await self._follow(await self._composer.start(request, origin), 0, send)

    async def _follow_job(self, fields: Fields, send: Send, _: Origin) -> None:
        offset = fields.get("offset", 0)
        if not isinstance(offset, int) or not 0 <= offset < 1 << 53:
            raise ComposeRefusedError("offset is a number of bytes")
        await self._follow(self._jobs.get(str(fields.get("job_id"))), offset, send)

    async def _cancel_job(self, fields: Fields, send: Send, _: Origin) -> None:
        await send(_told(await self._jobs.cancel(str(fields.get("job_id")))))

    async def _follow(self, job: Job, offset: int, send: Send) -> None:
        """Tell the job, its output as it comes, and how it ended."""
        await send(_told(job))
        async for at, text in decoded(self._jobs.output(job.id, offset)):
            await send({"type": "job_output", "job_id": job.id, "offset": at, "data": text})
        ended = await self._jobs.wait(job.id)
        await send({**_told(ended), "result": await self._composer.outcome(ended)})


def _told_as_refusals(handle: Handle) -> Callable[[Fields, Caller, Send], Awaitable[None]]:
    """Turn what can go wrong with a job into the status that REST would give."""

    async def run(fields: Fields, caller: Caller, send: Send) -> None:
        try:
            await handle(fields, send, Origin(caller.name, key=key_of(fields)))
        except ComposeRefusedError as error:
            raise RefusedError(400, str(error)) from error
        except KeyError as error:
            raise RefusedError(404, "no such job is kept") from error
        except BusyError as error:
            raise RefusedError(409, str(error)) from error
        except ComposeUnavailableError as error:
            raise RefusedError(503, str(error)) from error

    return run


def _told(job: Job) -> Fields:
    return {"type": "job", "job_id": job.id, **msgspec.structs.asdict(line(job))}
