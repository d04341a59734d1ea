"""The registry of probes: a service's scheme decides who asks it."""

from collections.abc import Awaitable, Callable

from fks_master.clock import Clock
from fks_master.model import Outcome, Reason, Result, Service
from fks_master.probes.dns import DnsProbe
from fks_master.probes.http import HttpProbe
from fks_master.probes.judge import Finding
from fks_master.probes.resolver import Resolver
from fks_master.probes.tcp import TcpProbe
from fks_master.probes.thread import ProbeThread

Probe = Callable[[Service], Awaitable[Result]]


class Prober:
    """Answers `probe` between `start` and `close`. A further kind of probe is one more `register`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._thread: ProbeThread[Finding] = ProbeThread(clock)
        self._resolver = Resolver(clock)
        self._http = http = HttpProbe(self._thread, self._resolver, clock)
        self._probes: dict[str, Probe] = {
            "http": http.probe,
            "https": http.probe,
            "tls": self._shake_hands,
            "tcp": TcpProbe(self._resolver, clock).probe,
            "dns": DnsProbe(self._resolver, clock).probe,
        }

    def register(self, scheme: str, probe: Probe) -> None:
        self._probes[scheme] = probe

    def start(self) -> None:
        self._thread.start()

    async def watch(self) -> None:
        """Wait for ever, or raise what asking has ended in for good."""
        await self._thread.watch()

    def tell(self, service: Service, answered: Callable[[Result | Exception], None]) -> bool:
        """Try once and call back, where that needs no task; else return False, and `probe` is to be asked."""
        return service.health_endpoint.startswith("http://") and self._http.tell(service, answered)

    async def probe(self, service: Service) -> Result:
        """Try once, within the service's `timeout_seconds`."""
        scheme = service.health_endpoint.partition(":")[0].lower()
        probe = self._probes.get(scheme)
        if probe is None:
            message = f"No probe knows {scheme}://"
            return Result(service.id, Outcome.FAILURE, self._clock.now(), reason=Reason.INTERNAL, message=message)
        return await probe(service)

    async def _shake_hands(self, service: Service) -> Result:
        from fks_master.probes.tls import TlsProbe  # noqa: PLC0415 - libcurl: 6 MB, for whom has no need of it

        return await TlsProbe(self._thread, self._resolver, self._clock).probe(service)

    async def close(self) -> None:
        self._resolver.close()
        await self._thread.close()
