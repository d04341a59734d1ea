"""The running part: follows the journal's events, keeps the pipeline's memory, and fills the outbox.

1. Events are read by number, after they are on disk (`Journal.follow`); the number that was read last is stored
   together with what came of them, in one transaction. A kill at any moment loses nothing and repeats nothing here.
2. A delivery is marked when it was answered. A kill between answer and mark repeats it, with the same id.
3. While the store fails, people are told from memory, and what is to be stored waits.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec
import structlog

from fks_master.alerts import store as rows
from fks_master.alerts.figures import delivery_families, families
from fks_master.alerts.lanes import Lanes
from fks_master.alerts.notice import Alert, Cause, Notice, Outgoing, Severity
from fks_master.alerts.notify import Answer, Receiver
from fks_master.alerts.outbox import Lane
from fks_master.alerts.pipeline import Pipeline, Wishes
from fks_master.alerts.quiet import Quiet
from fks_master.alerts.store import Delivery, Remembered, Store
from fks_master.alerts.world import World
from fks_master.clock import Clock
from fks_master.errors import StatementRefusedError, StorageError, StoreUnavailableError
from fks_master.model import Event, EventType, Family
from fks_master.storage import Statement

log = structlog.get_logger(__name__)

TICK_SECONDS = 1.0
ASKING_SECONDS = 0.05
STEP_SECONDS = 2.0
KEPT = timedelta(days=30)
PRUNE_TICKS = 3600
MOST_WAITING = 100_000
UNREMEMBERED_SECONDS = 10.0

Follow = Callable[[int], Awaitable[list[Event]]]


class Options(Wishes, frozen=True):
    """Who is told what. Without receivers alerts are only shown."""

    receivers: tuple[Receiver, ...] = ()


class Alerter:
    """Owns pipeline, silences and outbox.

    `on_finished` gives what is to be stored together with the end of deliveries.
    `is_failing` says whether the store fails; `from_memory` counts the events that were judged while it did, and
    `not_stored` what it refused.
    """

    def __init__(self, options: Options, world: World, store: Store, follow: Follow, clock: Clock) -> None:
        self.pipeline = Pipeline(world, options.routes)
        self.outbox = Lanes(self._finish, clock)
        self._store = store
        self._follow = follow
        self._clock = clock
        self.on_finished: Callable[[Sequence[Delivery]], Sequence[Statement]] = lambda _: ()
        self._is_restored = False
        self._waiting: list[Statement] = []
        self._writing = asyncio.Lock()
        self._late: list[Outgoing] = []
        self._cursor = 0
        self._number = self._began = 0
        self._times = (clock.now(), clock.monotonic())
        self.is_failing: Callable[[], bool] = lambda: False
        self.from_memory = 0
        self.not_stored = 0
        self.quiet = Quiet(world, self._keep_muted)
        self.reconfigure(options)

    def reconfigure(self, options: Options) -> None:
        """Take up new receivers, routes and windows."""
        self.pipeline.configure(options)
        self.outbox.reconfigure(options.receivers)

    @property
    def lanes(self) -> dict[str, Lane]:
        return self.outbox.by_name

    async def restore(self, newest: int, *, is_known: bool = True) -> None:
        """Go on where an earlier process stopped; the first one ever begins behind event `newest`."""
        now = self._clock.now()
        try:
            if not is_known:
                raise StoreUnavailableError("the history is away")
            remembered = await self._store.remembered(now)
        except StorageError as error:
            log.error("alerts_not_restored", error=str(error))  # noqa: TRY400 - the message says it
            self._cursor, self._number = newest, int(now.timestamp() * 1000)
            self._began = self._number
            self.pipeline.world.waiting_until = now + timedelta(seconds=UNREMEMBERED_SECONDS)
            return
        self.pipeline.restore(remembered.alerts)
        self.pipeline.world.silences = {silence.id: silence for silence in remembered.silences}
        self.pipeline.world.planned = {window.id: window for window in remembered.windows}
        self._cursor = newest if remembered.cursor is None else min(remembered.cursor, newest)
        self._number = remembered.newest
        self._waiting.append(rows.cursor_statement(self._cursor))
        self._is_restored = True
        self.outbox.hand_over(remembered.pending)

    async def read_late(self) -> Callable[[Collection[str]], None]:
        """Read what lay in a store that was away when we began, and return what takes it up.

        That is what people were told and have muted, what happened and was not read, and what waits to be told.
        """
        if self._is_restored:
            return lambda _: None
        remembered = await self._store.remembered(self._clock.now())
        events = [] if remembered.cursor is None else await self._store.events(remembered.cursor, self._began)
        return partial(self._take_up, remembered, events)

    def _take_up(self, remembered: Remembered, events: Sequence[Event], are_up: Collection[str]) -> None:
        self._is_restored = True
        world, known = self.pipeline.world, self.outbox.waiting()
        world.silences = {silence.id: silence for silence in remembered.silences} | world.silences
        world.planned = {window.id: window for window in remembered.windows} | world.planned
        world.waiting_until = None
        self.outbox.hand_over(one for one in remembered.pending if one.id not in known and one.number <= self._began)
        self._late += self.pipeline.take_up(remembered.alerts, events, are_up, self._clock.now())

    def begin_afresh(self) -> None:
        """Tell a new, empty store what is open, muted, and waits to be told."""
        world = self.pipeline.world
        self.pipeline.changed |= self.pipeline.alerts.keys()
        self._waiting += [
            *map(rows.silence_statement, world.silences.values()),
            *map(rows.window_statement, world.planned.values()),
            *map(rows.added, self.outbox.waiting().values()),
        ]

    async def run(self) -> None:
        """Follow until cancelled."""
        following: asyncio.Future[list[Event]] | None = None
        ticks = 0
        try:
            while True:
                self.outbox.start()
                following = following or asyncio.ensure_future(self._follow(self._cursor))
                patience = ASKING_SECONDS if self.pipeline.is_asking else TICK_SECONDS
                done, _ = await asyncio.wait({following}, timeout=patience)
                now = self._look_at_clock()
                if done:
                    events = following.result()
                    following = None
                    await self._take(events, now)
                    continue
                ticks += 1
                if ticks % PRUNE_TICKS == 1:
                    self._waiting.append(rows.pruned(now - KEPT))
                if not self._is_restored and not self.is_failing():
                    await self._restore_late()
                self.outbox.complain_of_long_failures(now)
                await self._tick(now)
        finally:
            if following:
                following.cancel()

    async def _tick(self, now: datetime) -> None:
        """Look at all alerts again, and at what came to light late."""
        late, self._late = self._late, []
        await self._keep([*late, *self.pipeline.tick(now)], now)

    async def _restore_late(self) -> None:
        """Do so by ourselves where only we have missed it."""
        with contextlib.suppress(StorageError):
            (await self.read_late())(())

    async def close(self) -> None:
        """Stop, and store what waits."""
        await self.outbox.close()
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
        return await self.outbox.sender.send(name, lane.render([rows.delivery_of(Outgoing(name, notice), 0, now)]))

    async def acknowledge(self, key: str, who: str) -> Alert | None:
        """Somebody has it in hand; receivers that keep alerts of their own are told so."""
        now = self._clock.now()
        if not self.pipeline.acknowledge(key, who, now):
            return None
        alert = self.pipeline.alerts[key]
        await self._keep(self._to_keepers(alert, "ack", now) if alert.told_id else [], now)
        return alert

    def _to_keepers(self, alert: Alert, about: str, now: datetime) -> Iterator[Outgoing]:
        """Tell whoever keeps alerts of its own that this one is in hand ("ack") or over ("end")."""
        notice = msgspec.structs.replace(
            alert.notice,
            id=f"{alert.notice.id}.{about}",
            timestamp=now,
            cause=Cause.ACKNOWLEDGEMENT if about == "ack" else Cause.NEWS,
            is_firing=about == "ack",
        )
        for name in dict.fromkeys((*alert.receivers, *alert.escalated)):
            if name in self.lanes and self.lanes[name].kind.keeps_alerts:
                yield alert.outgoing(name, notice)

    def families(self) -> list[Family]:
        now = self._clock.now()
        muted = (len(self.quiet.lasting(now)), len(self.quiet.planned(now)))
        return [*families(self.pipeline, muted), *delivery_families(self.lanes), *self._memory_families()]

    def _memory_families(self) -> list[Family]:
        told = "Events that were judged from memory, because the store failed."
        lost = "Changes of alerts that the store refused for good."
        return [
            Family("fks_alerts_from_memory_total", "counter", told, (({}, float(self.from_memory)),)),
            Family("fks_alerts_not_stored_total", "counter", lost, (({}, float(self.not_stored)),)),
        ]

    async def deliveries(self, count: int) -> list[Delivery]:
        """Give the newest deliveries; of those that wait, how their tries went so far."""
        waiting = self.outbox.waiting()
        return [waiting.get(one.id, one) for one in await self._store.deliveries(count)]

    async def _take(self, events: Sequence[Event], now: datetime) -> None:
        if not events:  # the store fails while it is read
            await self._clock.sleep(TICK_SECONDS / 5)
            return
        self.from_memory += len(events) if self.is_failing() else 0
        told = [outgoing for event in events for outgoing in self.pipeline.take(event, now)]
        self._cursor = events[-1].id
        await self._keep(told, now)

    async def _keep(self, told: Iterable[Outgoing], now: datetime) -> None:
        """Store what has changed, then let the lanes have what is to be told."""
        deliveries = []
        ended, self.pipeline.ended = self.pipeline.ended, []
        for outgoing in (*told, *(each for alert in ended for each in self._to_keepers(alert, "end", now))):
            if outgoing.notice.data.get("receiver") == outgoing.receiver:
                continue  # it does not take even this
            self._number += 1
            deliveries.append(rows.delivery_of(outgoing, self._number, now))
        changed = rows.alert_statements(self.pipeline.take_changed())
        if changed or deliveries or self._waiting:
            cursor = rows.cursor_statement(self._cursor)
            self._waiting += [*changed, *map(rows.added, deliveries), cursor]
            await self._write()
        self.outbox.hand_over(deliveries)

    async def _keep_muted(self, statement: Statement) -> None:
        self._waiting.append(statement)
        await self._write()

    async def _finish(self, deliveries: Sequence[Delivery]) -> None:
        self._waiting += [*rows.finished(deliveries), *self.on_finished(deliveries)]
        await self._write()

    async def _write(self) -> None:
        """Store what waits, in order and one after the other; what fails waits on.

        Nothing is written over what is not yet known.
        """
        if not self._is_restored:
            self._waiting = self._waiting[-MOST_WAITING:]
            return
        async with self._writing:
            statements, self._waiting = self._waiting, []
            try:
                await self._store.execute(statements)
            except StatementRefusedError as error:
                self.not_stored += len(statements)
                log.exception("alerts_not_stored", error=str(error))
            except StorageError:
                self._waiting = (statements + self._waiting)[-MOST_WAITING:]
            except asyncio.CancelledError:
                self._waiting = statements + self._waiting
                raise

    def _look_at_clock(self) -> datetime:
        """Tell the pipeline when the wall clock has stepped."""
        (wall, monotonic), self._times = self._times, (self._clock.now(), self._clock.monotonic())
        step = self._times[0] - wall - timedelta(seconds=self._times[1] - monotonic)
        if abs(step.total_seconds()) > STEP_SECONDS:
            self.pipeline.shift(step)
        return self._times[0]
