"""The composition root: builds every part, runs them, and stops them in reverse order."""

import asyncio

import uvicorn

from fks_master.api.app import build
from fks_master.api.guard import Guard
from fks_master.api.live import LiveFeed
from fks_master.api.routes.monitor import MonitorRoutes
from fks_master.api.routes.services import ServiceRoutes
from fks_master.api.view import View
from fks_master.clock import SystemClock
from fks_master.config.schema import Config
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.probes.prober import Prober
from fks_master.scheduler.loop import Scheduler


async def serve(config: Config, host: str, port: int) -> None:
    """Watch until the server is told to stop."""
    clock = SystemClock()
    metrics = Metrics(clock.monotonic())
    hub = Hub(config.services, config.policy, metrics)
    prober = Prober(clock.now)
    prober.start()
    scheduler = Scheduler(prober.probe, hub.ingest, clock, config.monitoring.batch_size)
    scheduler.watch(list(config.services))

    def reason_unwell() -> str | None:
        return None if scheduler.is_progressing() else "checks make no progress"

    guard = Guard(config.server.allowed_origins, config.server.allowed_hosts)
    view = View(hub, metrics, clock)
    endpoints = [*MonitorRoutes(view, reason_unwell).endpoints(), *ServiceRoutes(view).endpoints()]
    application = build(LiveFeed(hub, view, metrics), guard, metrics, clock, endpoints)
    checking = asyncio.create_task(scheduler.run())
    server = uvicorn.Server(
        uvicorn.Config(application, host, port, log_level="warning", ws_max_size=65536, timeout_graceful_shutdown=5)
    )
    try:
        await server.serve()
    finally:
        checking.cancel()
        await asyncio.gather(checking, return_exceptions=True)
        await prober.close()
