"""The running part: follows the journal's events, keeps the pipeline's memory, and fills the outbox.

1. Events are read by number, after they are on disk (`Journal.follow`); the number that was read last is stored
   together with what came of them, in one transaction. A kill at any moment loses nothing and repeats nothing here.
2. A delivery is marked when it was answered. A kill between answer and mark repeats it, with the same id.
3. While the store fails, people are told from memory, and what is to be stored waits.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from fks_master.alerts import store as rows
from fks_master.alerts.figures import families
from fks_master.alerts.notice import Alert, Cause, Notice, Outgoing, Severity
from fks_master.alerts.notify import Receiver
from fks_master.alerts.outbox import Lane
from fks_master.alerts.pipeline import Pipeline
from fks_master.alerts.post import Answer, Poster
from fks_master.alerts.routes import Route
from fks_master.alerts.silences import Silence, Window
from fks_master.alerts.stages import World
from fks_master.alerts.store import Delivery, Store
from fks_master.clock import Clock
from fks_master.errors import StatementRefusedError, StorageError
from fks_master.model import Event, EventType, Family, Policy
from fks_master.storage import Statement

log = structlog.get_logger(__name__)

TICK_SECONDS = 1.0
KEPT = timedelta(days=30)
PRUNE_TICKS = 3600
MOST_WAITING = 100_000

Follow = Callable[[int], Awaitable[list[Event]]]


class Options(msgspec.Struct, frozen=True):
    """Who is told what. Without receivers alerts are only shown."""

    receivers: tuple[Receiver, ...] = ()
    routes: tuple[Route, ...] = ()
    windows: tuple[Window, ...] = ()
    policy: Policy = Policy()


class Alerter:
    """Owns pipeline, silences and outbox."""

    def __init__(self, options: Options, world: World, store: Store, follow: Follow, clock: Clock) -> None:
        self.pipeline = Pipeline(world, options.routes)
        self.lanes: dict[str, Lane] = {}
        self._store = store
        self._follow = follow
        self._clock = clock
        self._poster = Poster()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._waiting: list[Statement] = []
        self._cursor = 0
        self._number = 0
        self.reconfigure(options)

    def reconfigure(self, options: Options) -> None:
        """Take up new receivers, routes and windows; what is queued for a receiver that stays goes to its new form."""
        world = self.pipeline.world
        world.policy, world.windows = options.policy, options.windows
        self.pipeline.routes = options.routes
        for receiver in options.receivers:
            lane = self.lanes.get(receiver.name)
            if lane is None:
                self.lanes[receiver.name] = Lane(receiver, self._poster.post, self._finish, self._clock)
            else:
                lane.receiver = receiver

    async def restore(self, newest: int) -> None:
        """Go on where an earlier process stopped; the first one ever begins behind event `newest`."""
        now = self._clock.now()
        try:
            remembered = await self._store.remembered(now)
        except StorageError as error:
            log.error("alerts_not_restored", error=str(error))  # noqa: TRY400 - the message says it
            self._cursor, self._number = newest, int(now.timestamp() * 1000)
            return
        self.pipeline.restore(remembered.alerts)
        self.pipeline.world.silences = {silence.id: silence for silence in remembered.silences}
        self._cursor = newest if remembered.cursor is None else min(remembered.cursor, newest)
        self._number = remembered.newest
        self._waiting.append(rows.cursor_statement(self._cursor))
        self._hand_over(remembered.pending)

    async def run(self) -> None:
        """Follow until cancelled."""
        following: asyncio.Future[list[Event]] | None = None
        ticks = 0
        try:
            while True:
                self._start_lanes()
                following = following or asyncio.ensure_future(self._follow(self._cursor))
                done, _ = await asyncio.wait({following}, timeout=TICK_SECONDS)
                now = self._clock.now()
                if done:
                    events = following.result()
                    following = None
                    await self._take(events, now)
                    continue
                ticks += 1
                if ticks % PRUNE_TICKS == 1:
                    self._waiting.append(rows.pruned(now - KEPT))
                await self._keep(self.pipeline.tick(now), now)
        finally:
            if following:
                following.cancel()

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._poster.close()
        await self._write()

    async def test(self, name: str) -> Answer | None:
        """Send a harmless notice to one receiver now, past the queue; None: there is no such receiver."""
        lane = self.lanes.get(name)
        if lane is None:
            return None
        now = self._clock.now()
        message = f"This is a test of the receiver {name}."
        notice = Notice(
            f"test-{now:%Y%m%dT%H%M%S%f}", EventType.SYSTEM_ALERT.value, None, None, message, now,
            severity=Severity.INFO, cause=Cause.TEST,
        )  # fmt: skip
        return await self._poster.post(lane.request([notice]))

    async def acknowledge(self, key: str, who: str) -> Alert | None:
        if not self.pipeline.acknowledge(key, who, self._clock.now()):
            return None
        await self._keep([], self._clock.now())
        return self.pipeline.alerts[key]

    async def silence(self, silence: Silence) -> None:
        self.pipeline.world.silences[silence.id] = silence
        self._waiting.append(rows.silence_statement(silence))
        await self._write()

    async def lift(self, silence_id: str) -> bool:
        """End a silence now."""
        if self.pipeline.world.silences.pop(silence_id, None) is None:
            return False
        self._waiting.append(rows.forgotten_silence(silence_id))
        await self._write()
        return True

    def lasting(self, now: datetime) -> list[Silence]:
        """Give the silences that have not ended, and forget the others; the first to end comes first."""
        silences = self.pipeline.world.silences
        for ended in [one.id for one in silences.values() if one.ends <= now]:
            del silences[ended]
        return sorted(silences.values(), key=lambda one: one.ends)

    def families(self) -> list[Family]:
        silences = len(self.lasting(self._clock.now()))
        return families(self.pipeline.alerts.values(), self.lanes, silences)

    async def deliveries(self, count: int) -> list[Delivery]:
        return await self._store.deliveries(count)

    async def _take(self, events: Sequence[Event], now: datetime) -> None:
        if not events:  # the store fails while it is read
            await self._clock.sleep(TICK_SECONDS / 5)
            return
        told = [outgoing for event in events for outgoing in self.pipeline.take(event, now)]
        self._cursor = events[-1].id
        await self._keep(told, now)

    async def _keep(self, told: Iterable[Outgoing], now: datetime) -> None:
        """Store what has changed, then let the lanes have what is to be told."""
        deliveries = []
        for outgoing in told:
            self._number += 1
            deliveries.append(rows.delivery_of(outgoing, self._number, now))
        changed = rows.alert_statements(self.pipeline.take_changed())
        if changed or deliveries or self._waiting:
            cursor = rows.cursor_statement(self._cursor)
            self._waiting += [*changed, *map(rows.added, deliveries), cursor]
            await self._write()
        self._hand_over(deliveries)

    def _hand_over(self, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            lane = self.lanes.get(delivery.receiver)
            if lane is not None:
                lane.put(delivery)
            else:
                log.warning("receiver_gone", receiver=delivery.receiver, id=delivery.id)

    async def _finish(self, deliveries: Sequence[Delivery]) -> None:
        self._waiting += rows.finished(deliveries)
        await self._write()

    async def _write(self) -> None:
        """Store what waits, in order; what fails waits on."""
        statements, self._waiting = self._waiting, []
        try:
            await self._store.execute(statements)
        except StatementRefusedError as error:
            log.exception("alerts_not_stored", error=str(error))
        except StorageError:
            self._waiting = (statements + self._waiting)[-MOST_WAITING:]

    def _start_lanes(self) -> None:
        for name, lane in self.lanes.items():
            task = self._tasks.get(name)
            if task is None:
                self._tasks[name] = asyncio.ensure_future(lane.run())
            elif task.done():
                task.result()
