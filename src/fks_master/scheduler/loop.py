"""The scheduler: every service has its own due time on the monotonic clock.

1. First looks start at once; after that each service keeps its own phase, spread by jitter over its interval.
2. `batch_size` bounds the checks that are being started and worked on. One that has been silent for a second gives its
   slot back and goes on in the waiting lane, at once if it was silent the last time, so that targets which hang never
   make the others late.
3. A check that overlapped a pause of this process (its loop late by more than a second) is void and asked again; what
   became due during the pause is spread over as long a time as the pause took.
"""

import asyncio
import heapq
import random
from collections.abc import Awaitable, Callable, Iterable

import msgspec
import structlog

from fks_master.clock import Clock
from fks_master.model import Outcome, Reason, Result, Service
from fks_master.scheduler.lag import LagWatch
from fks_master.scheduler.slots import Lanes, Slot

log = structlog.get_logger(__name__)

Probe = Callable[[Service], Awaitable[Result]]

SILENT_SECONDS = 1.0
KNOWN_SILENT_SECONDS = 0.05
BACKOFF_SECONDS = 0.25
SHORTEST_WAIT_SECONDS = 0.02  # what is due within it starts together
VOID_RETRY_SECONDS = 1.0
UNSEEN_RETRY_SECONDS = 2.0


def ignore_pause(_: float) -> None:
    """Tell nobody."""


class Scheduler:
    """Asks the probe when a service is due, and hands each result to the sink.

    `on_pause` is told how many seconds this process was held up, once a pause.
    """

    def __init__(
        self,
        probe: Probe,
        sink: Callable[[Result], None],
        clock: Clock,
        batch_size: int,
        *,
        on_pause: Callable[[float], None] = ignore_pause,
    ) -> None:
        self._probe = probe
        self._sink = sink
        self._clock = clock
        self._lanes = Lanes(batch_size)
        self._services: dict[str, Service] = {}
        self._due: list[tuple[float, str]] = []
        self._due_at: dict[str, float] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._seen: set[str] = set()
        self._silent: set[str] = set()
        self._changed = asyncio.Event()
        self._random = random.Random()  # noqa: S311 - jitter needs no secrecy
        self._on_pause = on_pause
        self._lag = LagWatch(clock, self._resume)
        self.last_progress = clock.monotonic()
        self.checks_completed = 0

    @property
    def lag_seconds(self) -> float:
        """How late the loop was at the last tick."""
        return self._lag.lag_seconds

    def watch(self, services: list[Service]) -> None:
        """Check exactly these from now on. New and changed ones are looked at at once."""
        fresh = {service.id: service for service in services}
        now = self._clock.monotonic()
        for service in services:
            if self._services.get(service.id) != service:
                self._schedule(service.id, now)
        for gone in self._services.keys() - fresh.keys():
            self._due_at.pop(gone, None)
            self._seen.discard(gone)
            self._silent.discard(gone)
        self._services = fresh
        self._changed.set()

    def look_now(self, service_ids: Iterable[str]) -> None:
        """Make these due at once; one that is being checked already is left alone."""
        now = self._clock.monotonic()
        for service_id in service_ids:
            if service_id in self._due_at:
                self._schedule(service_id, now)

    def reason_unwell(self) -> str | None:
        """Say why the monitor does not do its job; None: it does."""
        return None if self.is_progressing() else "checks make no progress"

    def is_progressing(self) -> bool:
        """Whether checks run as they should: false after three of the longest intervals without any."""
        if not self._services:
            return True
        longest = max(s.interval_seconds + s.timeout_seconds * s.tries for s in self._services.values())
        return self._clock.monotonic() - self.last_progress < 3 * longest + 10

    async def run(self) -> None:
        watcher = asyncio.create_task(self._lag.run())
        try:
            while True:
                await self._start_due()
        finally:
            watcher.cancel()
            for task in self._running:
                task.cancel()
            await asyncio.gather(watcher, *self._running, return_exceptions=True)

    def _schedule(self, service_id: str, at: float) -> None:
        if not self._due or at < self._due[0][0]:
            self._changed.set()
        self._due_at[service_id] = at
        heapq.heappush(self._due, (at, service_id))

    async def _start_due(self) -> None:
        """Wait until something is due, and start all that is."""
        self._changed.clear()
        self._lag.look()
        now = self._clock.monotonic()
        while self._due and self._due[0][0] <= now:
            self._start(*heapq.heappop(self._due))
        if not self._due:
            await self._changed.wait()
            return
        sleeping = asyncio.ensure_future(self._clock.sleep(max(SHORTEST_WAIT_SECONDS, self._due[0][0] - now)))
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({sleeping, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            changed.cancel()

    def _start(self, at: float, service_id: str) -> None:
        if self._due_at.get(service_id) != at:
            return  # rescheduled or gone since
        del self._due_at[service_id]
        task = asyncio.create_task(self._check(self._services[service_id], at))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _resume(self, seconds: float) -> None:
        """Spread what became due during a pause, so that it does not end in a burst."""
        log.warning("paused", seconds=round(seconds, 3))
        now = self._clock.monotonic()
        overdue = [service_id for service_id, at in self._due_at.items() if at <= now and service_id in self._seen]
        for service_id in overdue:
            longest = min(seconds, self._services[service_id].interval_seconds)
            self._schedule(service_id, now + self._random.uniform(0, longest))
        self._on_pause(seconds)

    async def _check(self, service: Service, due: float) -> None:
        slot = Slot(self._lanes)
        try:
            await slot.acquire()
            started = self._clock.monotonic()
            result = await self._tries(service, slot)
            if self._lag.has_paused_since(started):
                result = msgspec.structs.replace(result, outcome=Outcome.VOID)
        finally:
            slot.release()
        if self._services.get(service.id) == service:
            self._finish(service, result, due)

    def _finish(self, service: Service, result: Result, due: float) -> None:
        now = self._clock.monotonic()
        if result.outcome is Outcome.VOID:
            is_unseen = result.reason is Reason.UNSEEN
            wait = UNSEEN_RETRY_SECONDS if is_unseen else self._random.uniform(0, VOID_RETRY_SECONDS)
            self._schedule(service.id, now + min(wait, service.interval_seconds))
            self.last_progress = now if is_unseen else self.last_progress
        else:
            self._schedule(service.id, self._following(service, due, now))
            self._seen.add(service.id)
            self.last_progress = now
            self.checks_completed += 1
        try:
            self._sink(result)
        except Exception:
            log.exception("result_lost", service_id=service.id)

    def _following(self, service: Service, due: float, now: float) -> float:
        if service.id not in self._seen:
            return now + self._random.uniform(0.2, 1.0) * service.interval_seconds
        missed = max(0.0, now - due) // service.interval_seconds
        return due + (missed + 1) * service.interval_seconds

    async def _tries(self, service: Service, slot: Slot) -> Result:
        for number in range(1, service.tries + 1):
            if number > 1:
                slot.release()
                await self._clock.sleep(BACKOFF_SECONDS * (number - 1) * self._random.uniform(0.8, 1.2))
                await slot.acquire()
            result = await self._try_once(service, slot)
            if result.outcome is not Outcome.FAILURE:
                break
        return msgspec.structs.replace(result, tries=number) if number > 1 else result

    async def _try_once(self, service: Service, slot: Slot) -> Result:
        patience = KNOWN_SILENT_SECONDS if service.id in self._silent else SILENT_SECONDS
        began = self._clock.monotonic()
        timer = asyncio.get_running_loop().call_later(patience, slot.move_to_waiting)
        try:
            result = await self._probe(service)
        except Exception:
            log.exception("probe_failed", service_id=service.id)
            at, message = self._clock.now(), "The probe failed"
            result = Result(service.id, Outcome.FAILURE, at, reason=Reason.INTERNAL, message=message)
        finally:
            timer.cancel()
        self._remember_silence(service, result, self._clock.monotonic() - began)
        return result

    def _remember_silence(self, service: Service, result: Result, seconds: float) -> None:
        """Whether a target or its name server let us wait in vain."""
        if result.outcome is Outcome.FAILURE and seconds >= min(SILENT_SECONDS, service.timeout_seconds):
            self._silent.add(service.id)
        else:
            self._silent.discard(service.id)
