"""The parts that look: prober, scheduler, hub, and what they remember."""

from collections.abc import Coroutine, Iterable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from fks_master import heartbeats, history
from fks_master.alerts import store as alert_store
from fks_master.app.traced import traced, traced_tell
from fks_master.clock import Clock
from fks_master.config.schema import Config
from fks_master.control.discovery import remembered
from fks_master.heartbeats.ward import Ward, is_pushed
from fks_master.history.figures import families
from fks_master.history.keeper import Retention
from fks_master.history.past import Past
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.metrics.course import Course
from fks_master.model import Event, EventType, Service
from fks_master.probes.prober import Prober
from fks_master.scheduler.loop import Scheduler
from fks_master.storage import Database, Restored
from fks_master.storage.address import MEMORY, database_at
from fks_master.tracing import Tracer

DATA = Path("data")
MIGRATIONS = (*history.MIGRATIONS, *alert_store.MIGRATIONS, *heartbeats.MIGRATIONS)
FOUND = DATA / "discovered.json"


class Watching:
    """Checks what the config names, and keeps what it saw."""

    def __init__(self, config: Config, clock: Clock, tracer: Tracer, stack: AsyncExitStack) -> None:
        self.clock = clock
        self.tracer = tracer
        self._policy = config.policy
        self.started = clock.now()
        self.metrics = Metrics(clock.monotonic())
        self.course = Course()
        self.database = _database(config)
        self.past = Past(self.database, lambda: self.hub.services, clock, _retention(config))
        stack.push_async_callback(self.past.close)
        self.metrics.include(lambda: families(self.past.journal, self.past.recorder, self.past.keeper))
        self.hub = Hub(_watched_last(config), config.policy, self.metrics, self.past.journal.record)
        self.past.states, self.past.correct = lambda: self.hub.states, self.hub.correct
        self.ward = Ward(self.database, lambda: self.hub.services, self.hub.ingest, clock)
        stack.push_async_callback(self.ward.close)
        self.prober = _prober(clock, stack)
        self.scheduler = Scheduler(
            traced(self.prober.probe, tracer),
            self.hub.ingest,
            clock,
            config.monitoring.batch_size,
            on_pause=partial(_tell_pause, self.hub, clock),
            tell=traced_tell(self.prober.tell, tracer),
            on_begin=self.metrics.lateness.observe,
        )

    async def restore(self) -> Restored:
        """Go on where an earlier process stopped, and begin to look."""
        remembered = await self.past.restore(self.hub.services)
        self.hub.restore(remembered)
        await self.ward.restore(is_known=remembered.is_known)
        self.past.read_late.append(self.ward.read_late)
        self.past.afresh.append(self.ward.begin_afresh)
        self.scheduler.watch(_asked(self.hub.services.values()))
        return remembered

    def reconfigure(self, fresh: Config) -> None:
        self._policy = fresh.policy
        self.scheduler.resize(fresh.monitoring.batch_size)

    def watch(self, services: tuple[Service, ...]) -> None:
        """Watch exactly these from now on."""
        self.hub.reconfigure(services, self._policy)
        self.scheduler.watch(_asked(services))

    def work(self) -> list[Coroutine[Any, Any, None]]:
        following = self.course.follow(self.hub.bus, lambda: self.hub.services)
        looking = [self.scheduler.run(), self.prober.watch(), self.ward.run()]
        return [self.past.run(self.hub.announce), *looking, following]


def _asked(services: Iterable[Service]) -> list[Service]:
    """Leave out the services that report themselves: their silence must not look like progress of ours."""
    return [service for service in services if not is_pushed(service)]


def _watched_last(config: Config) -> tuple[Service, ...]:
    """Return the services of the config, and those that were found the last time: they are looked at anew."""
    configured = {one.id for one in config.services}
    found = remembered(FOUND) if config.discovery.enabled else ()
    return (*config.services, *(one for one in found if one.id not in configured))


def _database(config: Config) -> Database:
    return database_at(config.history.url if config.history.enabled else MEMORY, MIGRATIONS)


def _retention(config: Config) -> Retention:
    keep = config.history
    return Retention(keep.results_hours, keep.minutes_days, keep.hours_days, keep.events_days)


def _prober(clock: Clock, stack: AsyncExitStack) -> Prober:
    prober = Prober(clock)
    prober.start()
    stack.push_async_callback(prober.close)
    return prober


def _tell_pause(hub: Hub, clock: Clock, seconds: float) -> None:
    message = f"The monitor itself was held up for {seconds:.1f} s; checks under way meanwhile do not count"
    hub.announce(Event(EventType.SYSTEM_ALERT, message, clock.now(), data={"pause_seconds": round(seconds, 3)}))
