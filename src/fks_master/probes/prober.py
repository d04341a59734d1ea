"""The registry of probes: a service's scheme decides who asks it."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fks_master.clock import Clock
from fks_master.model import Outcome, Reason, Result, Service
from fks_master.probes.curl import CurlThread
from fks_master.probes.http import Finding, HttpProbe

Probe = Callable[[Service], Awaitable[Result]]


class Prober:
    """Answers `probe` between `start` and `close`. A further kind of probe is one more `register`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._thread: CurlThread[Finding] = CurlThread(clock)
        http = HttpProbe(self._thread, clock)
        self._probes: dict[str, Probe] = {"http": http.probe, "https": http.probe}

    def register(self, scheme: str, probe: Probe) -> None:
        self._probes[scheme] = probe

    def start(self) -> None:
        self._thread.start()

    async def probe(self, service: Service) -> Result:
        """Try once, within the service's `timeout_seconds`."""
        scheme = urlsplit(service.health_endpoint).scheme
        probe = self._probes.get(scheme)
        if probe is None:
            message = f"No probe knows {scheme}://"
            return Result(service.id, Outcome.FAILURE, self._clock.now(), reason=Reason.INTERNAL, message=message)
        return await probe(service)

    async def close(self) -> None:
        await self._thread.close()
