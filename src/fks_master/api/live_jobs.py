"""Jobs over `/ws`: start one by `compose`, follow any by `follow_job`, end one by `cancel_job`."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.websockets import WebSocket

from fks_master.api.auth import presented
from fks_master.api.doors import Doors
from fks_master.api.endpoint import Access
from fks_master.api.routes.compose import both_forms
from fks_master.api.routes.jobs import line
from fks_master.api.text import decoded
from fks_master.control.compose import Composer, Origin
from fks_master.control.jobs.engine import JobEngine
from fks_master.control.jobs.job import Job
from fks_master.docker.compose.request import convert
from fks_master.errors import BusyError, ComposeRefusedError, ComposeUnavailableError
from fks_master.metrics import Metrics

Send = Callable[[object], Awaitable[None]]
Fields = dict[str, Any]
Handle = Callable[[Fields, Send, Origin], Awaitable[None]]

NOT_OF_THE_BODY = ("command_type", "token")


class JobCommands:
    """Each command is checked for its credential, which is its `token` or that of the handshake."""

    def __init__(
        self, composer: Composer, jobs: JobEngine, doors: Doors, metrics: Metrics, *, is_enabled: bool
    ) -> None:
        self._composer = composer
        self._jobs = jobs
        self._doors = doors
        self._metrics = metrics
        self._clock = doors.clock
        self._is_enabled = is_enabled
        self.table: dict[str, tuple[Handle, Access]] = {
            "compose": (self._compose, Access.OPERATE),
            "follow_job": (self._follow_job, Access.READ),
            "cancel_job": (self._cancel_job, Access.OPERATE),
        }

    async def run(self, socket: WebSocket, fields: Fields, send: Send) -> None:
        """Carry out a command of the table, and tell what comes of it."""
        name = str(fields["command_type"])
        handle, access = self.table[name]
        started = self._clock.monotonic()
        status, reason = self._refusal(socket, fields, access)
        if status == 200:
            status, reason = await self._try(handle(fields, send, _origin(socket)))
        if access.is_change:
            self._doors.record(socket, f"ws {name}", str(fields.get("action") or fields.get("job_id")), status, started)
        if status == 401 and name == "compose":
            self._metrics.compose_unauthorized += 1
        if status != 200:
            await send({"type": "error", "reason": reason, "command_type": name, "status": status})

    def _refusal(self, socket: WebSocket, fields: Fields, access: Access) -> tuple[int, str]:
        token = fields.get("token")
        caller = self._doors.doorkeeper.who(token if isinstance(token, str) else presented(socket))
        socket.scope.setdefault("state", {})["caller"] = caller
        refusal = self._doors.refuses(socket, access, caller)
        if refusal is not None:
            return refusal.status, "unauthorized" if refusal.status == 401 else refusal.reason
        return (200, "") if self._is_enabled or not access.is_change else (403, "control disabled")

    async def _try(self, work: Awaitable[None]) -> tuple[int, str]:
        try:
            await work
        except ComposeRefusedError as error:
            return 400, str(error)
        except KeyError:
            return 404, "no such job is kept"
        except BusyError as error:
            return 409, str(error)
        except ComposeUnavailableError as error:
            return 503, str(error)
        return 200, ""

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


def _told(job: Job) -> Fields:
    return {"type": "job", "job_id": job.id, **msgspec.structs.asdict(line(job))}


def _origin(socket: WebSocket) -> Origin:
    caller = socket.scope["state"].get("caller")
    return Origin(caller.name if caller else None)
