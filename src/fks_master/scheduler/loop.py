"""The scheduler: every service has its own due time on the monotonic clock.

1. First looks start at once; after that each service keeps its own phase, spread by jitter over its interval.
2. `batch_size` bounds the checks that are being started and worked on. One that has been silent for a second gives its
   slot back and goes on in the waiting lane, so that targets which hang never make the others late.
3. A check that overlapped a pause of this process (its loop late by more than a second) is void.
"""

import asyncio
import heapq
import random
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from fks_master.clock import Clock
from fks_master.model import Outcome, Reason, Result, Service
from fks_master.scheduler.slots import Slot

log = structlog.get_logger(__name__)

Probe = Callable[[Service], Awaitable[Result]]

SILENT_SECONDS = 1.0
WAITING_LANE = 2000
BACKOFF_SECONDS = 0.25
LAG_TICK_SECONDS = 0.25
LAG_VOID_SECONDS = 1.0


class Scheduler:
    """Asks the probe when a service is due, and hands each result to the sink."""

    def __init__(self, probe: Probe, sink: Callable[[Result], None], clock: Clock, batch_size: int) -> None:
        self._probe = probe
        self._sink = sink
        self._clock = clock
        self._slots = asyncio.Semaphore(batch_size)
        self._waiting = asyncio.Semaphore(WAITING_LANE)
        self._services: dict[str, Service] = {}
        self._due: list[tuple[float, str]] = []
        self._due_at: dict[str, float] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._seen: set[str] = set()
        self._changed = asyncio.Event()
        self._random = random.Random()  # noqa: S311 - jitter needs no secrecy
        self._paused_at = clock.monotonic() - LAG_VOID_SECONDS
        self.lag_seconds = 0.0
        self.last_progress = clock.monotonic()
        self.checks_completed = 0

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
        self._services = fresh
        self._changed.set()

    def is_progressing(self) -> bool:
        """Whether checks run as they should: false after three of the longest intervals without any."""
        if not self._services:
            return True
        longest = max(s.interval_seconds + s.timeout_seconds * s.tries for s in self._services.values())
        return self._clock.monotonic() - self.last_progress < 3 * longest + 10

    async def run(self) -> None:
        watcher = asyncio.create_task(self._watch_lag())
        try:
            while True:
                await self._start_due()
        finally:
            watcher.cancel()
            for task in self._running:
                task.cancel()
            await asyncio.gather(watcher, *self._running, return_exceptions=True)

    def _schedule(self, service_id: str, at: float) -> None:
        self._due_at[service_id] = at
        if not self._due or at < self._due[0][0]:
            self._changed.set()
        heapq.heappush(self._due, (at, service_id))

    async def _start_due(self) -> None:
        self._changed.clear()
        if not self._due:
            await self._changed.wait()
            return
        at, service_id = self._due[0]
        if self._due_at.get(service_id) != at:
            heapq.heappop(self._due)
            return
        wait = at - self._clock.monotonic()
        if wait > 0:
            await self._wait_for_change(wait)
            return
        heapq.heappop(self._due)
        del self._due_at[service_id]
        task = asyncio.create_task(self._check(self._services[service_id], at))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _wait_for_change(self, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({sleeping, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            changed.cancel()

    async def _check(self, service: Service, due: float) -> None:
        slot = Slot(self._slots, self._waiting)
        try:
            await slot.acquire()
            started = self._clock.monotonic()
            result = await self._tries(service, slot)
            if self._paused_at >= started:
                result = msgspec.structs.replace(result, outcome=Outcome.VOID)
            if self._services.get(service.id) == service:
                self._finish(service, result, due)
        finally:
            slot.release()

    def _finish(self, service: Service, result: Result, due: float) -> None:
        now = self._clock.monotonic()
        self.last_progress = now
        self.checks_completed += 1
        self._sink(result)
        if result.outcome is Outcome.VOID:
            self._schedule(service.id, now + self._random.uniform(0, min(1.0, service.interval_seconds)))
            return
        first = result.service_id not in self._seen
        self._seen.add(result.service_id)
        following = due + service.interval_seconds
        if first:
            following = now + self._random.uniform(0.2, 1.0) * service.interval_seconds
        while following <= now:
            following += service.interval_seconds
        self._schedule(service.id, following)

    async def _tries(self, service: Service, slot: Slot) -> Result:
        for number in range(1, service.tries + 1):
            result = msgspec.structs.replace(await self._try_once(service, slot), tries=number)
            if result.outcome is not Outcome.FAILURE:
                return result
            if number < service.tries:
                slot.release()
                await self._clock.sleep(BACKOFF_SECONDS * number)
        return result

    async def _try_once(self, service: Service, slot: Slot) -> Result:
        await slot.acquire()
        asking = asyncio.ensure_future(self._probe(service))
        try:
            done, _ = await asyncio.wait({asking}, timeout=SILENT_SECONDS)
            if not done:
                await slot.move_to_waiting()
            return await asking
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("probe_failed", service_id=service.id)
            return Result(
                service.id, Outcome.FAILURE, self._clock.now(), reason=Reason.INTERNAL, message="The probe failed"
            )
        finally:
            asking.cancel()

    async def _watch_lag(self) -> None:
        while True:
            before = self._clock.monotonic()
            await self._clock.sleep(LAG_TICK_SECONDS)
            after = self._clock.monotonic()
            self.lag_seconds = max(0.0, after - before - LAG_TICK_SECONDS)
            if self.lag_seconds > LAG_VOID_SECONDS:
                self._paused_at = after
                log.warning("paused", seconds=round(self.lag_seconds, 3))
