"""Runs jobs. A job belongs to the engine, not to the client who asked: it goes on when the client leaves."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from fks_master.clock import Clock
from fks_master.control.jobs.job import Chunk, Job, JobState, Order
from fks_master.control.jobs.process import spawn
from fks_master.control.jobs.pump import Pump
from fks_master.control.jobs.spool import Spool
from fks_master.control.jobs.store import Store
from fks_master.errors import BusyError
from fks_master.tracing import NoTracer, Tracer

MOST_RUNNING = 32
DRAIN_SECONDS = 1.0
PIECE_BYTES = 1 << 16

_REASONS = {
    JobState.CANCELLED: "cancelled",
    JobState.TIMED_OUT: "not done after {0:g} s",
    JobState.INTERRUPTED: "FKS Master ended while the job ran",
}

T = TypeVar("T")


class Running:
    """A job under way: its spool, who waits for output, and why it is to end."""

    def __init__(self, job: Job, spool: Spool) -> None:
        self.job = job
        self.spool = spool
        self.more = asyncio.Event()
        self.ending: asyncio.Future[JobState] = asyncio.get_running_loop().create_future()
        self.done = asyncio.Event()

    def wake(self) -> None:
        """Wake every reader: each waits on the event that it saw before it read."""
        waiting, self.more = self.more, asyncio.Event()
        waiting.set()

    def end(self, state: JobState) -> None:
        if not self.ending.done():
            self.ending.set_result(state)


class JobEngine:
    """Starts, follows, cancels and remembers jobs. `tell` hears of every job that started or ended."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        tell: Callable[[Job], None] = lambda _: None,
        tracer: Tracer | None = None,
    ) -> None:
        self._store = Store(folder)
        self._clock = clock
        self._tell = tell
        self._tracer = tracer or NoTracer()
        self._jobs = {job.id: job for job in self._store.load()}
        self._running: dict[str, Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._disk = ThreadPoolExecutor(2, "job files")
        self._mark_interrupted()

    def _mark_interrupted(self) -> None:
        for job in [each for each in self._jobs.values() if not each.state.is_final]:
            self._jobs[job.id] = msgspec.structs.replace(
                job,
                state=JobState.INTERRUPTED,
                reason="FKS Master ended while the job ran",
                output_bytes=Spool(self._store.folder(job.id)).end,
            )
            self._store.save(self._jobs[job.id])

    @property
    def jobs(self) -> list[Job]:
        """Every job that is kept, the latest first."""
        return [self.get(job_id) for job_id in reversed(self._jobs)]

    def get(self, job_id: str) -> Job:
        """Return the job as it is now. Raises KeyError."""
        running = self._running.get(job_id)
        if running is None:
            return self._jobs[job_id]
        return msgspec.structs.replace(running.job, output_bytes=running.spool.end, lost_bytes=running.spool.lost)

    async def start(self, order: Order) -> Job:
        """Begin a job, or return the one that this order began before. Raises BusyError if its lock is held."""
        if (repeated := self._find_repeated(order)) is not None:
            return repeated
        self._check_free(order)
        job = Job(
            id=secrets.token_hex(8),
            action=order.action,
            project=order.project,
            state=JobState.RUNNING,
            started_at=self._clock.now(),
            deadline_seconds=order.deadline_seconds,
            services=order.services,
            files=order.files,
            command=order.command,
            lock=order.lock,
            key=order.key,
            requested_by=order.requested_by,
            request_id=order.request_id,
        )
        running = Running(job, Spool(self._store.create(job)))
        self._jobs[job.id] = job
        self._running[job.id] = running
        task = asyncio.create_task(self._run(running, order), name=f"job {job.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._tell(job)
        return job

    def known_by(self, key: str | None, requested_by: str | None) -> Job | None:
        """Return the job that somebody began with this key."""
        if key is None:
            return None
        same = (job.id for job in self._jobs.values() if (job.key, job.requested_by) == (key, requested_by))
        job_id = next(same, None)
        return None if job_id is None else self.get(job_id)

    def _find_repeated(self, order: Order) -> Job | None:
        found = self.known_by(order.key, order.requested_by)
        if found is not None and found.command != order.command:
            raise BusyError("this Idempotency-Key was used for another request", found.id)
        return found

    def _check_free(self, order: Order) -> None:
        if len(self._running) >= MOST_RUNNING:
            raise BusyError(f"{MOST_RUNNING} jobs run already")
        holder = next((one.job for one in self._running.values() if order.lock and one.job.lock == order.lock), None)
        if holder is not None:
            raise BusyError(f"{holder.action} of {holder.project} is under way", holder.id)

    async def wait(self, job_id: str) -> Job:
        """Return the job once it has ended. Raises KeyError."""
        running = self._running.get(job_id)
        if running is not None:
            await running.done.wait()
        return self._jobs[job_id]

    async def cancel(self, job_id: str) -> Job:
        """End a job if it still runs, and return it as it ended. Raises KeyError."""
        running = self._running.get(job_id)
        if running is not None:
            running.end(JobState.CANCELLED)
        return await self.wait(job_id)

    async def output(self, job_id: str, offset: int = 0, *, is_following: bool = True) -> AsyncIterator[Chunk]:
        """Yield the output from `offset` on, and what comes while it runs. Raises KeyError."""
        running = self._running.get(job_id)
        spool = running.spool if running else Spool(self._store.folder(self._jobs[job_id].id))
        while True:
            more = running.more if running else None
            is_over = running is None or running.done.is_set()
            start, data = await self._on_disk(partial(spool.read, offset, PIECE_BYTES))
            if data:
                yield Chunk(start, data)
                offset = start + len(data)
            elif is_over or not is_following or more is None:
                return
            else:
                await more.wait()

    def interrupt(self) -> None:
        """Begin to end what runs."""
        for running in list(self._running.values()):
            running.end(JobState.INTERRUPTED)

    async def close(self) -> None:
        """End what runs, as interrupted."""
        self.interrupt()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._disk.shutdown()

    async def _on_disk(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)

    async def _run(self, running: Running, order: Order) -> None:
        started = self._clock.monotonic()
        pump = Pump(running.spool, running.wake)
        notes = {"fks.job_id": running.job.id, "fks.project": order.project, "fks.services": ",".join(order.services)}
        with self._tracer.span(f"compose {order.action}", notes, order.traceparent) as span:
            state, code, reason = await self._execute(running, order, pump)
            if state is not JobState.SUCCEEDED:
                span.fail(reason or f"exit code {code}")
        await pump.drain(DRAIN_SECONDS)
        job = msgspec.structs.replace(
            running.job,
            state=state,
            finished_at=self._clock.now(),
            duration_seconds=round(self._clock.monotonic() - started, 3),
            status_code=code,
            reason=reason,
            output_bytes=running.spool.end,
            lost_bytes=running.spool.lost,
            stdout=pump.stdout.text(),
            stderr=pump.stderr.text(),
        )
        await self._on_disk(partial(self._store.save, job))
        self._finish(running, job)

    def _finish(self, running: Running, job: Job) -> None:
        self._jobs[job.id] = job
        del self._running[job.id]
        running.done.set()
        running.wake()
        self._tell(job)
        for old in self._store.surplus(list(self._jobs.values())):
            del self._jobs[old.id]
            self._store.remove(old)

    async def _execute(self, running: Running, order: Order, pump: Pump) -> tuple[JobState, int | None, str | None]:
        """Run the program to its end, its deadline, or the moment it is told to end."""
        try:
            program = await spawn(order.command, order.folder, order.environment, pump.write_out, pump.write_err)
        except (OSError, ValueError) as error:  # an argument or a variable that no program can be given
            return (
                JobState.FAILED,
                None,
                f"{order.command[0]} cannot be run: {getattr(error, 'strerror', None) or error}",
            )
        finally:
            pump.close_ours()
        ended = asyncio.ensure_future(program.wait())
        try:
            ends: set[asyncio.Future[int] | asyncio.Future[JobState]] = {ended, running.ending}
            await asyncio.wait(ends, timeout=order.deadline_seconds, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                code = ended.result()
                return (JobState.FAILED if code else JobState.SUCCEEDED), code, None
            state = running.ending.result() if running.ending.done() else JobState.TIMED_OUT
            return state, await program.end(), _REASONS[state].format(order.deadline_seconds)
        finally:
            ended.cancel()
            await program.release()
