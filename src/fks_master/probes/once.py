"""A single look at some services, outside the scheduler: for the command line and for questions in between."""

import asyncio
from collections.abc import Sequence

from fks_master.clock import Clock
from fks_master.docker.engine import Engine
from fks_master.model import Outcome, Reason, Result, Service
from fks_master.probes.container import ContainerProbe
from fks_master.probes.prober import Prober

AT_ONCE = 100


def service_at(url: str, timeout_seconds: float = 10.0) -> Service:
    """Make a service of an address that stands in no configuration."""
    return Service(url, url, url, timeout_seconds=timeout_seconds, tries=1)


async def check_once(
    services: Sequence[Service], clock: Clock, at_once: int = AT_ONCE, engine: Engine | None = None
) -> list[Result]:
    """Try each service once, and give the results in the same order. A try that goes wrong in us is a result too.

    `engine` is asked about containers.
    """
    prober = Prober(clock)
    if engine is not None:
        prober.register("docker", ContainerProbe(engine, clock).probe)
    prober.start()
    places = asyncio.Semaphore(at_once)

    async def look(service: Service) -> Result:
        async with places:
            try:
                return await prober.probe(service)
            except Exception as error:  # noqa: BLE001 - one poisoned service harms no other
                words = f"{type(error).__name__}: {error}"
                return Result(service.id, Outcome.FAILURE, clock.now(), reason=Reason.INTERNAL, message=words)

    try:
        return await asyncio.gather(*map(look, services))
    finally:
        await prober.close()


def trace(result: Result) -> list[str]:
    """Tell in a few lines what a try found, phase by phase, in milliseconds."""
    lines = [f"{name:<12}{seconds * 1000:9.1f} ms" for name, seconds in _phases(result)]
    lines.append(f"{'total':<12}{result.seconds * 1000:9.1f} ms")
    if result.remote:
        has_answered = result.outcome is Outcome.SUCCESS or result.status_code is not None
        lines.append(f"{'answered by' if has_answered else 'asked'} {result.remote}")
    if result.status_code:
        lines.append(f"HTTP/{result.http_version or '?'} {result.status_code}")
    if result.certificate:
        days = result.certificate.days_left(result.at)
        lines.append(f"certificate of {result.certificate.subject}: {days:.0f} days left")
    lines += [f"{one.name}: {one.status}{f', {one.message}' if one.message else ''}" for one in result.components]
    if result.excerpt:
        lines.append(f"body: {' '.join(result.excerpt.split())}")
    return lines


def _phases(result: Result) -> list[tuple[str, float]]:
    names = {"dns": "name", "connect": "connect", "tls": "TLS", "first_byte": "first byte", "transfer": "transfer"}
    found = [(word, getattr(result.phases, field)) for field, word in names.items()]
    return [(word, seconds) for word, seconds in found if seconds > 0]
