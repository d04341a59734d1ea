"""The composition root: builds every part, runs them, and stops them in reverse order."""

import asyncio
import gc
import os
import signal
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

from fks_master import history
from fks_master.alerts import store as alert_store
from fks_master.alerts.alerter import Alerter
from fks_master.alerts.stages import World
from fks_master.alerts.store import Store as AlertStore
from fks_master.api.app import build
from fks_master.api.audit import Audit, AuditRoutes
from fks_master.api.auth import Authority, Doorkeeper, Key
from fks_master.api.commands import Commands
from fks_master.api.doors import Doors
from fks_master.api.guard import Guard
from fks_master.api.live import LiveFeed
from fks_master.api.live_jobs import JobCommands
from fks_master.api.openapi import OpenApiRoutes
from fks_master.api.routes.alerts import AlertRoutes
from fks_master.api.routes.compose import ComposeRoutes
from fks_master.api.routes.control import ControlRoutes, restart_command
from fks_master.api.routes.history import HistoryRoutes
from fks_master.api.routes.incidents import IncidentRoutes
from fks_master.api.routes.jobs import JobRoutes
from fks_master.api.routes.logs import LogRoutes
from fks_master.api.routes.monitor import MonitorRoutes
from fks_master.api.routes.services import ServiceRoutes
from fks_master.api.server import Server, listen
from fks_master.api.tls import Tls, prepare
from fks_master.api.view import View
from fks_master.background import Background
from fks_master.clock import Clock, SystemClock
from fks_master.config.alerting import options_of
from fks_master.config.environment import Settings
from fks_master.config.reload import Reloader
from fks_master.config.schema import Config
from fks_master.control.compose import Composer, Preparer, find_our_id
from fks_master.control.containers import Containers
from fks_master.control.controller import Controller
from fks_master.control.evidence import Witness
from fks_master.control.jobs.engine import JobEngine
from fks_master.control.jobs.job import Job
from fks_master.control.usage import Meter
from fks_master.docker.compose.cli import ComposeCli
from fks_master.docker.compose.environment import minimal
from fks_master.docker.compose.files import Roots
from fks_master.docker.engine import DockerEngine
from fks_master.docker.facts import Facts
from fks_master.history.keeper import Retention
from fks_master.history.past import Past
from fks_master.hub import Hub
from fks_master.logs import configure
from fks_master.metrics import Metrics
from fks_master.model import Event, EventType, Result, Service
from fks_master.probes.prober import Prober
from fks_master.scheduler.loop import Probe, Scheduler
from fks_master.storage import Database
from fks_master.storage.address import MEMORY, database_at
from fks_master.systemd import ServiceManager
from fks_master.tracing import NoTracer, Tracer

log = structlog.get_logger(__name__)

TRACES_SECONDS = 2.0
DATA = Path("data")


class Run(msgspec.Struct, frozen=True):
    """What the command line hands over. `reread` reads the config again as it was read at the start."""

    config: Config
    settings: Settings
    reread: Callable[[], Config]
    manager: ServiceManager


class Started(msgspec.Struct, frozen=True):
    """What can be said once everything runs."""

    address: str
    config: Config
    settings: Settings
    warnings: tuple[str, ...] = ()


async def serve(run: Run, announce: Callable[[Started], None]) -> None:
    """Watch until SIGTERM or SIGINT; SIGHUP reloads the config. Raises FksError when it cannot start."""
    config, settings, clock = run.config, run.settings, SystemClock()
    async with AsyncExitStack() as stack:
        tls = prepare(settings.tls_cert, settings.tls_key, is_required=settings.tls_required)
        listener = stack.enter_context(listen(settings.host, settings.port))
        tracer = _observed(settings, stack)
        metrics = Metrics(clock.monotonic())
        database = _database(config)
        past = Past(database, lambda: hub.services, clock, _retention(config))
        stack.push_async_callback(past.close)
        hub: Hub = Hub(config.services, config.policy, metrics, past.journal.record)
        await past.lead()
        remembered = await past.restore(hub.services)
        hub.restore(remembered)
        alerter = Alerter(options_of(config), _world(hub), AlertStore(database), past.journal.follow, clock)
        stack.push_async_callback(alerter.close)
        metrics.include(alerter.families)
        await alerter.restore(remembered.newest)
        prober = _prober(clock, stack)
        scheduler = Scheduler(
            _traced(prober.probe, tracer),
            hub.ingest,
            clock,
            config.monitoring.batch_size,
            on_pause=partial(_tell_pause, hub, clock),
        )
        scheduler.watch(list(config.services))
        jobs, audit = _jobs(hub, metrics, clock, tracer), Audit(DATA / "audit.jsonl")
        stack.push_async_callback(jobs.close)
        stack.push_async_callback(audit.close)
        doors = _doors(config, settings, audit, clock)
        docker = _docker(run, hub, scheduler, metrics, stack)
        past.book.collectors.update(Witness(hub, docker.engine, metrics.usage).collectors())
        alerter.pipeline.world.is_busy = docker.controller.is_busy
        composer, may_act = _composer(config, jobs), config.control.enabled
        view = View(hub, metrics, clock, docker.facts.of)
        acting = docker.controller if may_act else None
        table = [
            *MonitorRoutes(view, scheduler.reason_unwell).endpoints(),
            *ServiceRoutes(view).endpoints(),
            *HistoryRoutes(past.measures, hub, clock).endpoints(),
            *IncidentRoutes(past.archive, hub).endpoints(),
            *LogRoutes(hub, docker.engine, clock).endpoints(),
            *AlertRoutes(alerter, clock).endpoints(),
            *AuditRoutes(audit).endpoints(),
            *ComposeRoutes(composer, jobs, metrics, is_enabled=may_act).endpoints(),
            *JobRoutes(jobs, is_enabled=may_act).endpoints(),
            *ControlRoutes(acting, clock, metrics.refuse_restart).endpoints(),
        ]
        commands = Commands(
            doors,
            {
                "restart_service": restart_command(acting, metrics.refuse_restart),
                **JobCommands(composer, jobs, metrics.refuse_compose, may_act=may_act).table(),
            },
        )
        feed = LiveFeed(hub, view, metrics, commands)
        application = build(feed, doors, metrics, OpenApiRoutes().describe(table), tracer)
        server = Server(application, listener, tls.context, config.server.trusted_proxies)
        reloader = Reloader(
            config, run.reread, _applied(hub, scheduler, alerter, docker.meter, _rekeyed(doors, settings)), hub.announce
        )
        stack.callback(_handle_signals(_all(jobs.interrupt, feed.end, server.stop), reloader.ask))

        background = await stack.enter_async_context(Background())
        for part in (
            partial(past.run, hub.announce),
            alerter.run,
            scheduler.run,
            audit.run,
            docker.facts.run,
            docker.meter.run,
        ):
            background.start(part())
        background.start(reloader.run(clock))
        background.start(run.manager.keep_alive(clock, scheduler.is_progressing))
        if tls.certificate:
            background.start(tls.certificate.watch(clock))

        announce(_started(run, tls, listener.getsockname()[1]))
        _settle()
        run.manager.say("READY=1")
        await server.run_until_stopped()
        run.manager.say("STOPPING=1")


class Docker(NamedTuple):
    """The parts that work with the daemon."""

    engine: DockerEngine
    controller: Controller
    facts: Facts
    meter: Meter


def _docker(run: Run, hub: Hub, scheduler: Scheduler, metrics: Metrics, stack: AsyncExitStack) -> Docker:
    clock, engine = SystemClock(), DockerEngine(run.settings.docker_host)
    stack.push_async_callback(engine.close)
    controller = Controller(hub, engine, clock, scheduler.look_now, metrics.restart)
    stack.push_async_callback(controller.close)
    facts = Facts(engine, clock, Containers(hub, controller, clock))
    meter = Meter(hub, engine, facts, clock, metrics.use)
    meter.is_on = run.config.monitoring.enable_docker_stats
    return Docker(engine, controller, facts, meter)


def _settle() -> None:
    """Spare the collector what stays for good, and let it run less often: checks leave next to no cycles behind."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _applied(
    hub: Hub, scheduler: Scheduler, alerter: Alerter, meter: Meter, rekey: Callable[[Config], None]
) -> Callable[[Config], None]:
    def apply(fresh: Config) -> None:
        hub.reconfigure(fresh.services, fresh.policy)
        scheduler.watch(list(fresh.services))
        alerter.reconfigure(options_of(fresh))
        meter.is_on = fresh.monitoring.enable_docker_stats
        rekey(fresh)

    return apply


def _world(hub: Hub) -> World:
    return World(lambda: hub.services, lambda: hub.states)


def _doors(config: Config, settings: Settings, audit: Audit, clock: Clock) -> Doors:
    authority, server = _authority(config, settings), config.server
    guard = Guard(server.allowed_origins, server.allowed_hosts, is_open=authority.is_open)
    return Doors(guard, Doorkeeper(authority, clock), audit, clock)


def _rekeyed(doors: Doors, settings: Settings) -> Callable[[Config], None]:
    def rekey(fresh: Config) -> None:
        doors.doorkeeper.authority = _authority(fresh, settings)
        doors.guard.is_open = doors.doorkeeper.is_open

    return rekey


def _authority(config: Config, settings: Settings) -> Authority:
    own = (Key.of("FKS_MONITOR_API_KEY", settings.api_key),) if settings.api_key else ()
    named = tuple(
        Key(one.name, one.hash, (one.scope.value,), datetime.fromisoformat(one.expires) if one.expires else None)
        for one in config.api_keys
    )
    return Authority((*own, *named), settings.ws_jwt_secret, settings.ws_jwt_allowed_roles, config.server.public_read)


def _jobs(hub: Hub, metrics: Metrics, clock: SystemClock, tracer: Tracer) -> JobEngine:
    """Build the engine; what it tells of jobs that change something becomes events."""

    def tell(job: Job) -> None:
        if job.state.is_final:
            metrics.compose(job.action, job.duration_seconds or 0.0, is_success=job.status_code == 0)
        if job.lock is not None:
            kind, said = (
                (EventType.COMPOSE_FINISHED, job.state.value)
                if job.state.is_final
                else (EventType.COMPOSE_STARTED, "started")
            )
            data: dict[str, object] = {
                "job_id": job.id,
                "action": job.action,
                "project": job.project,
                "state": job.state.value,
            }
            hub.announce(Event(kind, f"compose {job.action} of {job.project}: {said}", clock.now(), None, data))

    return JobEngine(_writable(DATA / "jobs"), clock, tell, tracer)


def _writable(folder: Path) -> Path:
    """Return the folder, or a temporary one where nothing can be kept."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        log.warning("jobs_not_kept", folder=str(folder), error=error.strerror)
        return Path(tempfile.mkdtemp(prefix="fks_master-jobs-"))


def _composer(config: Config, jobs: JobEngine) -> Composer:
    cli = ComposeCli(minimal(os.environ, config.compose.environment))
    roots = Roots([Path(root) for root in config.compose.roots])
    return Composer(Preparer(cli, roots, find_our_id()), jobs)


def _database(config: Config) -> Database:
    migrations = (*history.MIGRATIONS, *alert_store.MIGRATIONS)
    return database_at(config.history.url if config.history.enabled else MEMORY, migrations)


def _retention(config: Config) -> Retention:
    keep = config.history
    return Retention(keep.results_hours, keep.minutes_days, keep.hours_days, keep.events_days)


def _observed(settings: Settings, stack: AsyncExitStack) -> Tracer:
    """Set up traces and the log, whose lines name the trace that they belong to."""
    tracer = _tracer(settings)
    stack.push_async_callback(asyncio.to_thread, tracer.close, TRACES_SECONDS)
    configure(settings.log_level, as_json=settings.json_log, ids=tracer.ids)
    return tracer


def _prober(clock: Clock, stack: AsyncExitStack) -> Prober:
    prober = Prober(clock)
    prober.start()
    stack.push_async_callback(prober.close)
    return prober


def _tracer(settings: Settings) -> Tracer:
    if settings.otel_endpoint is None:
        return NoTracer()
    from fks_master.tracing.otlp import OtlpTracer  # noqa: PLC0415 - 20 MB that nobody pays who does not trace

    return OtlpTracer(settings.otel_endpoint, settings.service_name, settings.trace_sample_ratio)


def _tell_pause(hub: Hub, clock: Clock, seconds: float) -> None:
    message = f"The monitor itself was held up for {seconds:.1f} s; checks under way meanwhile do not count"
    hub.announce(Event(EventType.SYSTEM_ALERT, message, clock.now(), data={"pause_seconds": round(seconds, 3)}))


def _traced(probe: Probe, tracer: Tracer) -> Probe:
    """Give every check a span of its own."""
    if isinstance(tracer, NoTracer):
        return probe

    async def traced(service: Service) -> Result:
        with tracer.span("check", {"fks.service_id": service.id}) as span:
            result = await probe(service)
            span.note("fks.outcome", result.outcome)
            for phase in result.phases.__struct_fields__:
                span.note(f"fks.phase.{phase}_seconds", getattr(result.phases, phase))
            if result.reason:
                span.fail(f"{result.reason}: {result.message}")
            return result

    return traced


def _all(*calls: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        for each in calls:
            each()

    return call


def _handle_signals(stop: Callable[[], None], reload: Callable[[], None]) -> Callable[[], None]:
    """Install the handlers, and return what removes them."""
    loop = asyncio.get_running_loop()
    handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: reload}
    for number, handle in handlers.items():
        loop.add_signal_handler(number, handle)

    def remove() -> None:
        for number in handlers:
            loop.remove_signal_handler(number)

    return remove


def _started(run: Run, tls: Tls, port: int) -> Started:
    host = run.settings.host
    shown = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    if tls.warning:
        log.warning("tls_off", reason=tls.warning)
    scheme = "https" if tls.certificate else "http"
    return Started(f"{scheme}://{shown}:{port}", run.config, run.settings, (tls.warning,) if tls.warning else ())
