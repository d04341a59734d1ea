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
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import partial
from typing import Any

import msgspec
import structlog

from fks_master.clock import Clock
from fks_master.model import Outcome, Reason, Result, Service
from fks_master.scheduler.lag import LagWatch
from fks_master.scheduler.slots import Lanes, Place

log = structlog.get_logger(__name__)

Probe = Callable[[Service], Awaitable[Result]]
Tell = Callable[[Service, Callable[[Result | Exception], None]], bool]

SILENT_SECONDS = 1.0
KNOWN_SILENT_SECONDS = 0.05
SWEEP_SECONDS = 0.25
BACKOFF_SECONDS = 0.25
SHORTEST_WAIT_SECONDS = 0.05  # what is due within it starts together
VOID_RETRY_SECONDS = 1.0
UNSEEN_RETRY_SECONDS = 2.0


def ignore(_: float) -> None:
    """Tell nobody."""


def needs_a_task(_: Service, __: Callable[[Result | Exception], None]) -> bool:
    """Leave every service to the probe."""
    return False


class _Check(Place):
    """One check under way: `number` counts its tries, times are on the monotonic clock."""

    __slots__ = ("asked_at", "due", "number", "service", "started")

    def __init__(self, service: Service, due: float) -> None:
        super().__init__()
        self.service = service
        self.due = due
        self.number = 0
        self.started = self.asked_at = 0.0


class Scheduler:
    """Asks the probe when a service is due, and hands each result to the sink.

    `on_pause` is told how many seconds this process was held up, once a pause; `on_begin` how late a check begins.
    `tell` may take a service over and call back, which costs less than a task; what it does not take (it returns False)
    the probe is asked.
    """

    def __init__(  # noqa: PLR0913 - what it is joined to, and nothing else
        self,
        probe: Probe,
        sink: Callable[[Result], None],
        clock: Clock,
        batch_size: int,
        *,
        on_pause: Callable[[float], None] = ignore,
        tell: Tell = needs_a_task,
        on_begin: Callable[[float], None] = ignore,
    ) -> None:
        self._probe = probe
        self._tell = tell
        self._on_begin = on_begin
        self._sink = sink
        self._clock = clock
        self._lanes: Lanes[_Check] = Lanes(batch_size, self._begin)
        self._services: dict[str, Service] = {}
        self._due: list[tuple[float, str]] = []
        self._due_at: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopped = False
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
                self.last_progress = now  # what is new has its time before its silence means anything
        for gone in self._services.keys() - fresh.keys():
            self._due_at.pop(gone, None)
            self._seen.discard(gone)
            self._silent.discard(gone)
        self._services = fresh
        self._changed.set()

    def resize(self, batch_size: int) -> None:
        """Let so many be worked on at once from now on."""
        self._lanes.resize(batch_size)

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
        """Whether checks run as they should: false after three rounds of the quickest service without any."""
        if not self._services:
            return True
        shortest = min(s.interval_seconds + s.timeout_seconds * s.tries for s in self._services.values())
        return self._clock.monotonic() - self.last_progress < 3 * shortest + 10

    async def run(self) -> None:
        side = [asyncio.create_task(self._lag.run()), asyncio.create_task(self._sweep())]
        try:
            while True:
                await self._start_due()
        finally:
            self._is_stopped = True
            every = [*side, *self._tasks]
            for task in every:
                task.cancel()
            await asyncio.gather(*every, return_exceptions=True)

    async def _sweep(self) -> None:
        """Let those that have been silent for long wait elsewhere."""
        while True:
            await self._clock.sleep(SWEEP_SECONDS)
            silent_since = self._clock.monotonic() - SILENT_SECONDS
            silent = []
            for check in self._lanes.in_slots:
                if check.asked_at > silent_since:
                    break
                silent.append(check)
            for check in silent:
                self._lanes.move_to_waiting(check)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

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
        await self._wait(max(SHORTEST_WAIT_SECONDS, self._due[0][0] - now))

    async def _wait(self, seconds: float) -> None:
        """Sleep, but not through a change of what is due; a short sleep is not worth two tasks."""
        if seconds <= SHORTEST_WAIT_SECONDS:
            await self._clock.sleep(seconds)
            return
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
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
        self._lanes.enter(_Check(self._services[service_id], at))

    def _resume(self, seconds: float) -> None:
        """Spread what became due during a pause, so that it does not end in a burst."""
        log.warning("paused", seconds=round(seconds, 3))
        now = self._clock.monotonic()
        overdue = {service_id for service_id, at in self._due_at.items() if at <= now and service_id in self._seen}
        queued = self._lanes.withdraw(lambda check: check.number == 0 and check.service.id in self._seen)
        overdue |= {check.service.id for check in queued} & self._services.keys()
        for service_id in overdue:
            longest = min(seconds, self._services[service_id].interval_seconds)
            self._schedule(service_id, now + self._random.uniform(0, longest))
        self._on_pause(seconds)

    def _begin(self, check: _Check) -> None:
        """Make the next try: there is a slot for it."""
        now = self._clock.monotonic()
        service = check.service
        if not self._is_watched(service):
            self._lanes.leave(check)
            return
        if check.number == 0:
            check.started = now
            if service.id in self._seen:
                self._on_begin(now - check.due)
        check.asked_at = now
        check.number += 1
        if service.id in self._silent:
            loop = asyncio.get_running_loop()
            loop.call_later(KNOWN_SILENT_SECONDS, self._move_if_silent, check, check.number)
        answered = partial(self._answered, check)
        try:
            is_told = self._tell(service, answered)
        except Exception as error:  # noqa: BLE001 - one poisoned service harms no other
            answered(error)
        else:
            if not is_told:
                self._spawn(self._ask(service, answered))

    async def _ask(self, service: Service, answered: Callable[[Result | Exception], None]) -> None:
        answer: Result | Exception
        try:
            answer = await self._probe(service)
        except Exception as error:  # noqa: BLE001 - one poisoned service harms no other
            answer = error
        answered(answer)

    def _move_if_silent(self, check: _Check, number: int) -> None:
        if check.number == number:
            self._lanes.move_to_waiting(check)

    def _answered(self, check: _Check, answer: Result | Exception) -> None:
        """Take the answer to a try: the check is over, or tries again."""
        if self._is_stopped:
            return
        result = self._poisoned(check.service, answer) if isinstance(answer, Exception) else answer
        self._lanes.leave(check)
        self._remember_silence(check.service, result, self._clock.monotonic() - check.asked_at)
        if result.outcome is Outcome.FAILURE and check.number < check.service.tries:
            self._spawn(self._try_again(check))
            return
        if self._lag.has_paused_since(check.started):
            result = msgspec.structs.replace(result, outcome=Outcome.VOID)
        if check.number > 1:
            result = msgspec.structs.replace(result, tries=check.number)
        if self._is_watched(check.service):
            self._finish(check.service, result, check.due)

    def _is_watched(self, service: Service) -> bool:
        """Whether it is still configured, and configured so: what a reload has taken away is asked no further."""
        watched = self._services.get(service.id)
        return watched is service or watched == service

    async def _try_again(self, check: _Check) -> None:
        await self._clock.sleep(BACKOFF_SECONDS * check.number * self._random.uniform(0.8, 1.2))
        self._lanes.enter(check)

    def _poisoned(self, service: Service, error: Exception) -> Result:
        log.error("probe_failed", service_id=service.id, exc_info=error)
        at, message = self._clock.now(), "The probe failed"
        return Result(service.id, Outcome.FAILURE, at, reason=Reason.INTERNAL, message=message)

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

    def _remember_silence(self, service: Service, result: Result, seconds: float) -> None:
        """Whether a target or its name server let us wait in vain."""
        if result.outcome is Outcome.FAILURE and seconds >= min(SILENT_SECONDS, service.timeout_seconds):
            self._silent.add(service.id)
        else:
            self._silent.discard(service.id)
