"""The parts that act: Docker and Compose."""

import os
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import structlog

from fks_master.app.watching import Watching
from fks_master.clock import Clock
from fks_master.config.environment import Settings
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
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Event, EventType
from fks_master.probes.container import ContainerProbe
from fks_master.tracing import Tracer

log = structlog.get_logger(__name__)

DATA = Path("data")


class Acting:
    """What works with the daemon; `is_enabled` is false where the config switches control off."""

    def __init__(self, config: Config, settings: Settings, watching: Watching, stack: AsyncExitStack) -> None:
        hub, metrics, clock = watching.hub, watching.metrics, watching.clock
        self.is_enabled = config.control.enabled
        self.jobs = _jobs(hub, metrics, clock, watching.tracer)
        stack.push_async_callback(self.jobs.close)
        self.composer = _composer(config, self.jobs)
        self.engine = DockerEngine(settings.docker_host)
        stack.push_async_callback(self.engine.close)
        watching.prober.register("docker", ContainerProbe(self.engine, clock).probe)
        self.controller = Controller(hub, self.engine, clock, watching.scheduler.look_now, metrics.restart)
        stack.push_async_callback(self.controller.close)
        self.facts = Facts(self.engine, clock, Containers(hub, self.controller, clock))
        self.meter = Meter(hub, self.engine, self.facts, clock, metrics.use)
        self.meter.is_on = config.monitoring.enable_docker_stats
        watching.past.book.collectors.update(Witness(hub, self.engine, metrics.usage).collectors())

    def reconfigure(self, fresh: Config) -> None:
        self.meter.is_on = fresh.monitoring.enable_docker_stats

    def work(self) -> list[Coroutine[Any, Any, None]]:
        return [self.facts.run(), self.meter.run()]


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
