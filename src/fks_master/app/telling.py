"""The parts that tell people."""

from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, Self

from fks_master.alerts.alerter import Alerter
from fks_master.alerts.beacon import Beacon
from fks_master.alerts.stages import World
from fks_master.alerts.store import Store
from fks_master.app.acting import Acting
from fks_master.app.watching import Watching
from fks_master.config import receivers
from fks_master.config.alerting import options_of
from fks_master.config.schema import Config
from fks_master.storage import Restored


class Telling:
    """Follows what the journal has stored, and tells whom the config names."""

    def __init__(self, config: Config, watching: Watching, stack: AsyncExitStack) -> None:
        hub = watching.hub
        world = World(lambda: hub.services, lambda: hub.states)
        store, follow = Store(watching.database), watching.past.journal.follow
        self.alerter = Alerter(options_of(config), world, store, follow, watching.clock)
        self.alerter.announce = hub.announce
        self.alerter.sender.tracer = watching.tracer
        stack.push_async_callback(self.alerter.close)
        self.beacon = Beacon(self.alerter.sender, watching.scheduler.is_progressing, watching.clock)
        self._set_beacon(config)
        watching.metrics.include(self.beacon.families)
        watching.metrics.include(self.alerter.families)

    @classmethod
    async def begin(cls, config: Config, watching: Watching, remembered: Restored, stack: AsyncExitStack) -> Self:
        telling = cls(config, watching, stack)
        await telling.alerter.restore(remembered.newest)
        return telling

    def mind(self, acting: Acting) -> None:
        """Say nothing of services on which an action of ours works."""
        self.alerter.pipeline.world.is_busy = acting.controller.is_busy

    def reconfigure(self, fresh: Config) -> None:
        self.alerter.reconfigure(options_of(fresh))
        self._set_beacon(fresh)

    def work(self) -> list[Coroutine[Any, Any, None]]:
        return [self.alerter.run(), self.beacon.run()]

    def _set_beacon(self, config: Config) -> None:
        alerts = config.alerts
        self.beacon.url = alerts.heartbeat_url or receivers.content(alerts.heartbeat_url_file)
        self.beacon.seconds = alerts.heartbeat_seconds
