"""The parts that serve: who may, the table of routes and commands, the live feed, the web server."""

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple

import structlog

from fks_master import __version__
from fks_master.api.app import build
from fks_master.api.audit import Audit, AuditRoutes
from fks_master.api.auth import Authority, Doorkeeper, Key
from fks_master.api.commands import Commands
from fks_master.api.doors import Doors
from fks_master.api.endpoint import Endpoint
from fks_master.api.guard import Guard, origins_of
from fks_master.api.live import LiveFeed
from fks_master.api.live_jobs import JobCommands
from fks_master.api.openapi import OpenApiRoutes
from fks_master.api.routes.alerts import AlertRoutes
from fks_master.api.routes.checks import CheckRoutes
from fks_master.api.routes.compose import ComposeRoutes
from fks_master.api.routes.control import ControlRoutes, restart_command
from fks_master.api.routes.course import CourseRoutes
from fks_master.api.routes.heartbeats import HeartbeatRoutes
from fks_master.api.routes.history import HistoryRoutes
from fks_master.api.routes.incidents import IncidentRoutes
from fks_master.api.routes.jobs import JobRoutes
from fks_master.api.routes.logs import LogRoutes
from fks_master.api.routes.monitor import MonitorRoutes, Standing
from fks_master.api.routes.objectives import ObjectiveRoutes
from fks_master.api.routes.quiet import QuietRoutes
from fks_master.api.routes.rules import RuleRoutes
from fks_master.api.routes.services import ServiceRoutes
from fks_master.api.routes.status_page import Past as PublicPast
from fks_master.api.routes.status_page import Shown, StatusPageRoutes
from fks_master.api.server import Server
from fks_master.api.standby import answer_standby
from fks_master.api.tls import Tls
from fks_master.api.view import View
from fks_master.app.acting import Acting
from fks_master.app.telling import Telling
from fks_master.app.watching import DATA, Watching
from fks_master.config.environment import Settings
from fks_master.config.schema import Config

log = structlog.get_logger(__name__)


class Port(NamedTuple):
    """Where we listen, and whether we encrypt."""

    listener: socket.socket
    tls: Tls


class Parts(NamedTuple):
    """What is served."""

    watching: Watching
    telling: Telling
    acting: Acting


class Serving:
    """Everything behind the port."""

    def __init__(self, config: Config, settings: Settings, parts: Parts, port: Port) -> None:
        self._config = config
        self._settings = settings
        self._watching, self._telling, self._acting = watching, _, acting = parts
        self._tls = port.tls
        self.audit = Audit(DATA / "audit.jsonl")
        self._doors = self._make_doors()
        if self._doors.doorkeeper.is_open:
            log.warning("open_mode", effect="who reaches this address may act", remedy="set FKS_MONITOR_API_KEY")
        view = View(watching.hub, watching.metrics, watching.clock, acting.container)
        self._feed = LiveFeed(watching.hub, view, watching.metrics, self._commands())
        self._status_page = StatusPageRoutes(
            watching.hub,
            PublicPast(watching.past.measures, watching.past.archive, watching.past.planned.active),
            watching.clock,
            _shown(config),
        )
        table = OpenApiRoutes().describe(self._table(view))
        application = build(self._feed, self._doors, watching.metrics, table, watching.tracer)
        self.server = Server(application, port.listener, port.tls.context, config.server.trusted_proxies)

    def stop(self) -> None:
        self._feed.end()
        self.server.stop()

    def reconfigure(self, fresh: Config) -> None:
        """Take up keys and the addresses of web services."""
        self._config = fresh
        self._status_page.show(_shown(fresh))
        self._doors.doorkeeper.authority = authority_of(fresh, self._settings)
        self._doors.guard.is_open = self._doors.doorkeeper.is_open
        self._doors.guard.allow(self._origins(), fresh.server.allowed_hosts)

    def work(self) -> list[Coroutine[Any, Any, None]]:
        renewing = [self._tls.certificate.watch(self._watching.clock)] if self._tls.certificate else []
        return [self.audit.run(), *renewing]

    def _make_doors(self) -> Doors:
        authority, clock = authority_of(self._config, self._settings), self._watching.clock
        guard = Guard(self._origins(), self._config.server.allowed_hosts, is_open=authority.is_open)
        return Doors(guard, Doorkeeper(authority, clock), self.audit, clock)

    def _origins(self) -> list[str]:
        return [*self._config.server.allowed_origins, *origins_of(self._config.services)]

    def _commands(self) -> Commands:
        acting, metrics = self._acting, self._watching.metrics
        controller = acting.controller if acting.is_enabled else None
        jobs = JobCommands(acting.composer, acting.jobs, metrics.refuse_compose, may_act=acting.is_enabled)
        restart = restart_command(controller, metrics.refuse_restart)
        return Commands(self._doors, {"restart_service": restart, **jobs.table()})

    def _table(self, view: View) -> list[Endpoint]:
        watching, acting = self._watching, self._acting
        hub, past, metrics, clock = watching.hub, watching.past, watching.metrics, watching.clock
        controller = acting.controller if acting.is_enabled else None
        return [
            *MonitorRoutes(view, watching.scheduler.reason_unwell, self._standing).endpoints(),
            *ServiceRoutes(view).endpoints(),
            *self._status_page.endpoints(),
            *HistoryRoutes(past.measures, hub, clock).endpoints(),
            *CheckRoutes(hub, watching.scheduler.look_now).endpoints(),
            *CourseRoutes(watching.course, hub, clock).endpoints(),
            *IncidentRoutes(past.archive, hub).endpoints(),
            *LogRoutes(hub, acting.engine, clock).endpoints(),
            *HeartbeatRoutes(watching.ward, self._doors.doorkeeper.count_wrong, clock).endpoints(),
            *AlertRoutes(self._telling.alerter, clock).endpoints(),
            *RuleRoutes(self._telling.book, self._telling.alerter.pipeline).endpoints(),
            *QuietRoutes(self._telling.alerter, clock).endpoints(),
            *ObjectiveRoutes(self._telling.book, lambda: hub.services).endpoints(),
            *AuditRoutes(self.audit).endpoints(),
            *ComposeRoutes(acting.composer, acting.jobs, metrics, is_enabled=acting.is_enabled).endpoints(),
            *JobRoutes(acting.jobs, is_enabled=acting.is_enabled).endpoints(),
            *ControlRoutes(controller, clock, metrics.refuse_restart).endpoints(),
        ]

    def _standing(self) -> Standing:
        watching, acting, journal = self._watching, self._acting, self._watching.past.journal
        return Standing(
            version=__version__,
            started_at=watching.started,
            open_mode=self._doors.doorkeeper.is_open,
            control_enabled=acting.is_enabled,
            tls=self._tls.certificate is not None,
            docker_version=acting.facts.version,
            config=str(self._config.source) if self._config.source else None,
            services=len(watching.hub.services),
            checks_completed=watching.scheduler.checks_completed,
            loop_lag_seconds=round(watching.scheduler.lag_seconds, 4),
            store_failing=journal.is_failing,
            results_dropped=watching.past.recorder.dropped,
            warnings=tuple(self._warnings()),
        )

    def _warnings(self) -> list[str]:
        found = [self._tls.trouble] if self._tls.trouble else []
        if self._doors.doorkeeper.is_open and self._acting.is_enabled:
            found.append("Open mode: whoever reaches this address may restart services. Set FKS_MONITOR_API_KEY.")
        if self._watching.past.journal.is_failing:
            why = ": its disk is full" if self._watching.past.journal.is_full else ""
            found.append(f"The history cannot be written{why}. What is seen now is kept in memory only.")
        failing = [lane.receiver.name for lane in self._telling.alerter.lanes.values() if lane.is_failing]
        if failing:
            found.append(f"Nobody can be told by {', '.join(failing)}: the last try failed.")
        if self._watching.tracer.trouble:
            found.append(f"Traces cannot be sent: {self._watching.tracer.trouble}.")
        return found


def authority_of(config: Config, settings: Settings) -> Authority:
    own = (Key.of("FKS_MONITOR_API_KEY", settings.api_key),) if settings.api_key else ()
    named = tuple(
        Key(one.name, one.hash, (one.scope.value,), datetime.fromisoformat(one.expires) if one.expires else None)
        for one in config.api_keys
    )
    roles, server = settings.ws_jwt_allowed_roles, config.server
    return Authority((*own, *named), settings.ws_jwt_secret, roles, server.public_read, server.open_networks)


def _shown(config: Config) -> Shown:
    page = config.status_page
    return Shown(page.enabled, page.title, page.services)


@asynccontextmanager
async def standing_by(port: Port) -> AsyncIterator[None]:
    """Say that we are standby to whoever asks, while another instance works on the same store."""
    server = Server(answer_standby, port.listener.dup(), port.tls.context)
    serving = asyncio.create_task(server.run_until_stopped())
    try:
        yield
    finally:
        server.stop()
        await serving
