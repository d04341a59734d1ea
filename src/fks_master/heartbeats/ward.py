"""The running part: takes signals, remembers them, and tells the hub how each job fares.

1. A signal counts at once, from memory; then it is stored, and only then answered. While the store fails it still
   counts, and is stored later.
2. Once a second each job is judged. The hub hears of it when that changes, and once an interval.
3. When this process was last there is stored as well, so that what it could not hear is no job's fault. Nor is it when
   this process was held up, or the wall clock was put forward or back: then what is remembered moves along.
"""

import asyncio
import hmac
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from fks_master.clock import Clock
from fks_master.errors import StorageError
from fks_master.heartbeats.schedule import Beat, Gap, Health, Said, Signal, describe, due, judge, shift, take
from fks_master.model import Outcome, Reason, Result, Service
from fks_master.storage import Database, Statement, load_queries
from fks_master.storage.database import from_ms, to_ms

log = structlog.get_logger(__name__)

SQL = load_queries("fks_master.heartbeats")
SCHEME = "heartbeat"
SEEN = "ward"
TICK_SECONDS = 1.0
SEEN_SECONDS = 10.0
PAUSE_SECONDS = 3.0
STEP_SECONDS = 2.0
MOST_A_MINUTE = 120


def is_pushed(service: Service) -> bool:
    """Whether a service reports itself, and is not asked."""
    return service.health_endpoint.partition(":")[0] == SCHEME


class Ward:
    """Knows every job. `ingest` is the hub's way in."""

    def __init__(
        self, database: Database, services: Callable[[], Mapping[str, Service]], ingest: Callable[[Result], None],
        clock: Clock,
    ) -> None:  # fmt: skip
        self._database = database
        self._services = services
        self._ingest = ingest
        self._clock = clock
        self._beats: dict[str, Beat] = {}
        self._unsaved: set[str] = set()
        self._told: dict[str, tuple[Health, float]] = {}
        self._signals: dict[str, deque[float]] = {}
        self._gap: Gap | None = None
        self._seen_at = float("-inf")
        self._looked = (clock.now(), clock.monotonic())
        self._saving = asyncio.Lock()
        self._heard: set[str] = set()
        self._began = clock.now()
        self._is_restored = True

    @property
    def jobs(self) -> list[Service]:
        return [service for service in self._services().values() if is_pushed(service)]

    async def restore(self, *, is_known: bool = True) -> None:
        """Go on where an earlier process stopped; the time since then is a gap."""
        self._is_restored = False
        try:
            if is_known:
                (await self.read_late())(())
        except StorageError as error:
            log.error("heartbeats_not_restored", error=str(error))  # noqa: TRY400 - the message says it

    async def read_late(self) -> Callable[[Collection[str]], None]:
        """Read what lies in the store, and return what takes it up: what was heard since then counts more."""
        rows = await self._database.fetch(SQL["heartbeats"])
        seen = await self._database.fetch(SQL["seen"], name=SEEN)

        def take_up(_: Collection[str]) -> None:
            before = {row["service_id"]: msgspec.json.decode(row["body"], type=Beat) for row in rows}
            self._beats |= {name: beat for name, beat in before.items() if name not in self._heard}
            self._gap = Gap(from_ms(seen[0]["seen_ms"]), self._began) if seen and not self._is_restored else self._gap
            self._is_restored = True

        return take_up

    def begin_afresh(self) -> None:
        """Hear that the store is a new, empty one."""
        self._unsaved |= self._beats.keys()

    async def run(self) -> None:
        """Judge and save side by side: a store that hangs holds up no judgement."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_on())
            group.create_task(self._save_on())

    async def _look_on(self) -> None:
        while True:
            self.look()
            await self._clock.sleep(TICK_SECONDS)

    async def _save_on(self) -> None:
        while True:
            await self._save()
            await self._clock.sleep(TICK_SECONDS)

    async def close(self) -> None:
        self._seen_at = float("-inf")
        await self._save()

    def find(self, token_hash: str) -> Service | None:
        """Find the job of a token; every one is compared, in constant time."""
        found = None
        for service in self.jobs:
            if hmac.compare_digest(service.heartbeat.token_hash, token_hash):
                found = service
        return found

    def is_too_often(self, service: Service) -> bool:
        """Count a signal; more than two a second are too many."""
        now = self._clock.monotonic()
        times = self._signals.setdefault(service.id, deque(maxlen=MOST_A_MINUTE))
        if len(times) == MOST_A_MINUTE and times[0] > now - 60:
            return True
        times.append(now)
        return False

    async def hear(self, service: Service, said: Said) -> None:
        """Take a signal, and return once it is on disk or cannot be stored now."""
        now = self._clock.now()
        self._beats[service.id] = take(self.beat(service), said, now)
        self._heard.add(service.id)
        self._unsaved.add(service.id)
        if said.signal is not Signal.START:
            self._told.pop(service.id, None)
        self._look_at(service, now)
        await self._save()

    def beat(self, service: Service) -> Beat:
        known = self._beats.get(service.id)
        if known is None:
            known = self._beats[service.id] = Beat(service.id, self._clock.now())
            self._unsaved.add(service.id)
        return known

    def health(self, service: Service, now: datetime) -> Health:
        return judge(service.heartbeat, self.beat(service), now, self._gap)

    def due(self, service: Service) -> datetime:
        return due(service.heartbeat, self.beat(service), self._gap)

    def look(self) -> None:
        """Judge every job."""
        now = self._clock.now()
        self._notice_gap(now)
        for service in self.jobs:
            try:
                self._look_at(service, now)
            except Exception:
                log.exception("heartbeat_not_judged", service_id=service.id)

    def _notice_gap(self, now: datetime) -> None:
        """See whether this process was held up, or the wall clock has stepped, since the last look."""
        (before, then), self._looked = self._looked, (now, self._clock.monotonic())
        passed = self._looked[1] - then
        step = now - before - timedelta(seconds=passed)
        has_stepped = abs(step.total_seconds()) > STEP_SECONDS
        if has_stepped:
            self._beats = {name: shift(beat, step) for name, beat in self._beats.items()}
            self._unsaved |= self._beats.keys()
        if has_stepped or passed > TICK_SECONDS + PAUSE_SECONDS:
            self._gap = Gap(min(before, now), max(before, now), is_step=has_stepped)

    def _look_at(self, service: Service, now: datetime) -> None:
        health, moment = self.health(service, now), self._clock.monotonic()
        before = self._told.get(service.id)
        if before and before[0] is health and moment < before[1] + service.interval_seconds:
            return
        self._told[service.id] = (health, moment)
        if health is not Health.NEW:
            self._ingest(self._result(service, health, now))

    def _result(self, service: Service, health: Health, now: datetime) -> Result:
        if not health.is_trouble:
            return Result(service.id, Outcome.SUCCESS, now, is_report=True)
        beat = self.beat(service)
        return Result(
            service.id,
            Outcome.FAILURE,
            now,
            reason=Reason.REPORTED if health is Health.FAILED else Reason.LATE,
            message=describe(beat, health, self.due(service)),
            excerpt=beat.said if health is Health.FAILED else None,
            is_report=True,
        )

    async def _save(self) -> None:
        async with self._saving:
            await self._write()

    async def _write(self) -> None:
        moment = self._clock.monotonic()
        if not self._is_restored or not self.jobs or (not self._unsaved and moment < self._seen_at + SEEN_SECONDS):
            return
        names, self._unsaved = self._unsaved, set()
        seen = SQL["note_seen"](name=SEEN, seen_ms=to_ms(self._clock.now()))
        try:
            await self._database.execute(*self._statements(sorted(names)), seen)
            self._seen_at = moment
        except StorageError as error:
            self._unsaved |= names
            log.warning("heartbeats_not_stored", error=str(error))
        except asyncio.CancelledError:
            self._unsaved |= names
            raise

    def _statements(self, names: Sequence[str]) -> list[Statement]:
        bodies = [(name, msgspec.json.encode(self._beats[name]).decode()) for name in names]
        return [SQL["store_heartbeat"](service_id=name, body=body) for name, body in bodies]
