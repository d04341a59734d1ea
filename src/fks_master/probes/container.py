"""Container probes: a container is judged by its state and by Docker's own health check of it.

`docker://container` asks the daemon. Whatever the daemon cannot tell (it is silent, or its health check has not come
to a verdict yet) is not seen, which is not the same as bad.
"""

import asyncio

from fks_master.clock import Clock
from fks_master.docker.container import Container
from fks_master.docker.engine import Engine
from fks_master.errors import DockerError, NotFoundError
from fks_master.model import Outcome, Phases, Reason, Result, Service
from fks_master.probes.answer import Fault

STATES = {
    "created": "The container was created but never started",
    "paused": "The container is paused",
    "restarting": "The container ends again and again, and Docker restarts it",
    "removing": "The container is being removed",
}


class ContainerProbe:
    """Asks the engine, which somebody else connects."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def probe(self, service: Service) -> Result:
        began = self._clock.monotonic()
        fault = await self._look(service)
        seconds = self._clock.monotonic() - began
        outcome = Outcome.SUCCESS
        if fault is not None:
            outcome = Outcome.VOID if fault.reason is Reason.UNSEEN else Outcome.FAILURE
        reason, message = (fault.reason, fault.message) if fault else (None, None)
        # How long Docker takes says nothing of the container: a slow daemon must not make it Degraded.
        phases = Phases(first_byte=seconds)
        return Result(service.id, outcome, self._clock.now(), 0.0, reason, message, phases=phases)

    async def _look(self, service: Service) -> Fault | None:
        name = service.health_endpoint.partition("://")[2]
        try:
            async with asyncio.timeout(service.timeout_seconds):
                return judge(await self._engine.inspect(name))
        except NotFoundError:
            return Fault(Reason.CONTAINER, f"There is no container {name}")
        except TimeoutError:
            return Fault(Reason.UNSEEN, f"Docker did not answer within {service.timeout_seconds:g} s")
        except DockerError as error:
            return Fault(Reason.UNSEEN, str(error))


def watched_container(endpoint: str) -> str | None:
    """Name the container that an address asks for; None if it asks for something else."""
    scheme, _, name = endpoint.partition("://")
    return name if scheme.lower() == "docker" else None


def judge(container: Container) -> Fault | None:
    """Say what is wrong with a container; None: it runs, and is healthy where it has a health check."""
    if container.state != "running":
        return Fault(Reason.CONTAINER, STATES.get(container.state) or _ended(container))
    if container.health == "unhealthy":
        said = f": {container.health_message}" if container.health_message else ""
        return Fault(Reason.CONTAINER, f"Docker's health check of the container fails{said}")
    if container.health == "starting":
        return Fault(Reason.UNSEEN, "The container starts; its own health check has no verdict yet")
    return None


def _ended(container: Container) -> str:
    code = "" if container.exit_code is None else f" (exit code {container.exit_code})"
    words = "was killed for want of memory" if container.oom_killed else "has ended"
    return f"The container {words}{code}"
