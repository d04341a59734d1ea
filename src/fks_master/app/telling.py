"""The parts that tell people."""

from collections.abc import Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from functools import partial
from typing import Any, Self

from fks_master.alerts.alerter import Alerter
from fks_master.alerts.beacon import Beacon
from fks_master.alerts.rules import RuleBook, Sight
from fks_master.alerts.rules.figures import families
from fks_master.alerts.rules.watch import refill, watch
from fks_master.alerts.stages import AFTER_DOWN
from fks_master.alerts.store import Delivery, Store
from fks_master.alerts.works import Place
from fks_master.alerts.world import World
from fks_master.app.acting import Acting
from fks_master.app.watching import Watching
from fks_master.config import receivers
from fks_master.config.alerting import options_of
from fks_master.config.schema import Config
from fks_master.errors import StorageError
from fks_master.history.archive import Wanted
from fks_master.history.incidents import IncidentBook
from fks_master.storage import Restored, Statement

LATE_SECONDS = 1.0
MOST_OUTAGES = 5000
LABEL_PROJECT, LABEL_SERVICE = "com.docker.compose.project", "com.docker.compose.service"


class Telling:
    """Follows what the journal has stored, judges by the rules, and tells whom the config names."""

    def __init__(self, config: Config, watching: Watching, stack: AsyncExitStack) -> None:
        hub, clock = watching.hub, watching.clock
        self._watching = watching
        self._dropped = 0
        world = World(lambda: hub.services, lambda: hub.states, look_now=watching.scheduler.look_now)
        store, follow = Store(watching.database), watching.past.journal.follow
        watching.past.planned.active = world.in_maintenance
        self.alerter = Alerter(options_of(config), world, store, follow, clock)
        self.alerter.is_failing = lambda: watching.past.journal.is_failing
        pipeline = self.alerter.pipeline
        sight = Sight(
            lambda: hub.services, lambda: hub.states, lambda: pipeline.alerts, watching.metrics.usage, self._unwell
        )
        self.book = RuleBook(sight, config.alerts.rules, clock.monotonic(), clock.now())
        self.alerter.outbox.announce = hub.announce
        self.alerter.on_finished = partial(_noted, watching.past.book)
        self.alerter.outbox.sender.tracer = watching.tracer
        stack.push_async_callback(self.alerter.close)
        self.beacon = Beacon(self.alerter.outbox.sender, watching.scheduler.is_progressing, watching.clock)
        self._set_beacon(config)
        watching.metrics.include(self.beacon.families)
        watching.metrics.include(self.alerter.families)
        watching.metrics.include(lambda: families(self.book, hub.services))

    @classmethod
    async def begin(cls, config: Config, watching: Watching, remembered: Restored, stack: AsyncExitStack) -> Self:
        telling = cls(config, watching, stack)
        await telling.alerter.restore(remembered.newest, is_known=remembered.is_known)
        watching.past.read_late.append(telling.alerter.read_late)
        watching.past.afresh.append(telling.alerter.begin_afresh)
        if remembered.is_known:
            with suppress(StorageError):
                await telling._recall_outages()
        return telling

    async def _recall_outages(self) -> None:
        """Learn which services were down a while ago: what that did to their budgets was told."""
        since = self._watching.clock.now() - max(AFTER_DOWN.values())
        found, _ = await self._watching.past.archive.incidents(Wanted(state="closed", since=since, count=MOST_OUTAGES))
        ends = ((one.service_id, one.ended_at) for one in reversed(found) if one.ended_at)
        self.alerter.pipeline.world.came_up |= dict(ends)

    def mind(self, acting: Acting) -> None:
        """Say nothing of services on which an action of ours works."""
        hub, facts, world = self._watching.hub, acting.facts, self.alerter.pipeline.world

        def place_of(service_id: str) -> Place | None:
            service = hub.services.get(service_id)
            container = facts.of(service.docker_container) if service else None
            labels = container.labels if container else {}
            if LABEL_PROJECT not in labels or LABEL_SERVICE not in labels:
                return None
            return Place(labels[LABEL_PROJECT], labels[LABEL_SERVICE])

        world.is_busy, world.place_of = acting.controller.is_busy, place_of

    def reconfigure(self, fresh: Config) -> None:
        self.alerter.reconfigure(options_of(fresh))
        self._set_beacon(fresh)
        self.book.configure(fresh.alerts.rules)

    def _set_beacon(self, config: Config) -> None:
        alerts = config.alerts
        self.beacon.url = alerts.heartbeat_url or receivers.content(alerts.heartbeat_url_file)
        self.beacon.method = alerts.heartbeat_method.value
        self.beacon.seconds = alerts.heartbeat_seconds

    def work(self) -> list[Coroutine[Any, Any, None]]:
        hub, clock = self._watching.hub, self._watching.clock
        return [self.alerter.run(), self.beacon.run(), watch(self.book, hub.bus, hub.announce, clock), self._refill()]

    async def _refill(self) -> None:
        """Let error budgets go on where an earlier process stopped."""
        began, measures = self._watching.started, self._watching.past.measures

        async def counts(service_id: str, reach: float) -> Iterable[tuple[float, int, int]]:
            series = await measures.series(service_id, began - timedelta(seconds=reach), began)
            figures = ((point.at.timestamp(), point.latency) for point in series.points)
            return [(at, one.count - one.failures, one.failures) for at, one in figures]

        await refill(self.book, list(self._watching.hub.services.values()), counts)

    def _unwell(self) -> str | None:
        """Say what keeps the monitor from doing its work as it should."""
        scheduler, past = self._watching.scheduler, self._watching.past
        dropped, self._dropped = past.recorder.dropped - self._dropped, past.recorder.dropped
        if past.journal.is_failing:
            return "the history cannot be written"
        if dropped:
            return f"{dropped} results were not kept, because the queue for them is full"
        if scheduler.lag_seconds > LATE_SECONDS:
            return f"checks are {scheduler.lag_seconds:.1f} s late"
        return scheduler.reason_unwell()


def _noted(book: IncidentBook, deliveries: Sequence[Delivery]) -> list[Statement]:
    """Put down in the timeline of its incident who was told what."""
    return [
        statement
        for one in deliveries
        if one.notice.service_id
        for statement in book.notified(
            one.notice.service_id,
            one.finished or one.created,
            f"{one.receiver}: {one.state}",
            {"id": one.id, "event_type": one.notice.event_type, "answer": one.answer, "tries": one.tries},
        )
    ]
