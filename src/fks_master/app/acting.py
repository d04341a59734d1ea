"""The parts that act: Docker and Compose."""

import os
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from fks_master.api.schemas import ContainerFacts, container_facts
from fks_master.app.watching import DATA, FOUND, Watching
from fks_master.clock import Clock
from fks_master.config.builtin import FKS_SERVICES
from fks_master.config.environment import Settings
from fks_master.config.schema import Config, Entry
from fks_master.control.compose import Composer, Preparer
from fks_master.control.containers import Containers
from fks_master.control.controller import Backing, Controller
from fks_master.control.discovery import Discoverer, Outlet
from fks_master.control.evidence import Witness
from fks_master.control.jobs.engine import JobEngine
from fks_master.control.jobs.job import Job
from fks_master.control.roster import Given
from fks_master.control.usage import Meter
from fks_master.docker.compose.cli import ComposeCli
from fks_master.docker.compose.environment import minimal
from fks_master.docker.compose.files import Roots
from fks_master.docker.engine import DockerEngine
from fks_master.docker.facts import Facts
from fks_master.docker.ourselves import Ourselves, find_our_id
from fks_master.docker.usage import Usage
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Event, EventType
from fks_master.probes.container import ContainerProbe
from fks_master.tracing import Tracer

log = structlog.get_logger(__name__)


class Acting:
    """What works with the daemon; `is_enabled` is false where the config switches control off."""

    def __init__(self, config: Config, settings: Settings, watching: Watching, stack: AsyncExitStack) -> None:
        hub, metrics, clock = watching.hub, watching.metrics, watching.clock
        self.is_enabled = config.control.enabled
        self.jobs = _jobs(hub, metrics, clock, watching.tracer)
        stack.push_async_callback(self.jobs.close)
        self.composer = _composer(config, self.jobs, settings.docker_host)
        self.engine = DockerEngine(settings.docker_host)
        stack.push_async_callback(self.engine.close)
        watching.prober.register("docker", ContainerProbe(self.engine, clock).probe)
        ourselves = Ourselves(find_our_id(), settings.docker_host)
        backing = Backing(self.engine, watching.scheduler.look_now, metrics.restart, ourselves, watching.tracer)
        self.controller = Controller(hub, clock, backing)
        stack.push_async_callback(self.controller.close)
        self.containers = Containers(hub, self.controller, clock)
        self.facts = Facts(self.engine, clock, self.containers)
        outlet = Outlet(watching.watch, hub.announce)
        self.discoverer = Discoverer(_given(config), ourselves, clock, outlet, FOUND)
        self.discoverer.configure(_given(config), self.facts, is_on=config.discovery.enabled)
        self.containers.on_change = partial(self.discoverer.look, self.facts)
        self.meter = Meter(hub, self.engine, self.facts, clock, _noting(watching))
        self.meter.is_on = config.monitoring.enable_docker_stats
        watching.past.book.collectors.update(Witness(hub, self.engine, metrics.usage).collectors())

    def container(self, name: str | None) -> ContainerFacts | None:
        """Return what is known of a container; None while Docker does not answer."""
        found = self.facts.of(name)
        return None if found is None else container_facts(found, self.containers.lately(found.name))

    def reconfigure(self, fresh: Config) -> None:
        self.discoverer.configure(_given(fresh), self.facts, is_on=fresh.discovery.enabled)
        self.meter.is_on = fresh.monitoring.enable_docker_stats

    def work(self) -> list[Coroutine[Any, Any, None]]:
        return [self.facts.run(), self.meter.run(), self.discoverer.run()]


def _given(config: Config) -> Given:
    """Say what is configured, and how what is found is to be checked."""
    pattern = Entry(id="pattern", health_endpoint="http://pattern").service(config.monitoring)
    known = {one.id: one.service(config.monitoring) for one in FKS_SERVICES}
    return Given(config.services, pattern, known)


def _noting(watching: Watching) -> Callable[[str, Usage | None], None]:
    """Return who tells the metrics what a container uses, and its chart where that is known."""

    def note(service_id: str, usage: Usage | None) -> None:
        watching.metrics.use(service_id, usage)
        if usage is not None:
            watching.course.use(service_id, watching.clock.now().timestamp(), usage)

    return note


def _jobs(hub: Hub, metrics: Metrics, clock: Clock, tracer: Tracer) -> JobEngine:
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
                "services": list(job.services),
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


def _composer(config: Config, jobs: JobEngine, docker_host: str) -> Composer:
    cli = ComposeCli(minimal(os.environ, config.compose.environment))
    roots = Roots([Path(root) for root in config.compose.roots])
    return Composer(Preparer(cli, roots, Ourselves(find_our_id(), docker_host)), jobs)
