"""How usage of containers and the phases of checks went lately: in memory, from the start of the monitor on."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from fks_master.docker.usage import Usage
from fks_master.events.bus import Bus
from fks_master.metrics.rings import Rings, Tier
from fks_master.model import Change, Outcome, Phases, Service

MINUTE, HOUR = 60, 3600
USAGE_TIERS = (Tier(10, 360), Tier(5 * MINUTE, 288), Tier(HOUR, 720))
PHASE_TIERS = (Tier(MINUTE, 60), Tier(HOUR, 720))
MOST_POINTS = 400
LEAST_SECONDS = 1.0

Counters = tuple[int | None, int | None, int | None, int | None]
Read = tuple[int, list[tuple[float, Sequence[float]]]]


class Course:
    """Takes what containers use and the phases of checks; answers for a range."""

    def __init__(self) -> None:
        self._usage: dict[str, Rings] = {}
        self._phases: dict[str, Rings] = {}
        self._last: dict[str, tuple[float, Counters]] = {}

    async def follow(self, bus: Bus[Change], services: Callable[[], Mapping[str, Service]]) -> None:
        """Note the phases of each check that was answered, and let go of what is no longer watched."""
        with bus.subscribe() as subscription:
            while True:
                for change in await subscription.take_all():
                    result = change.result
                    if result is None:
                        self._keep_only(services())
                    elif result.outcome is Outcome.SUCCESS:
                        self.ask(result.service_id, result.at.timestamp(), result.phases)

    def ask(self, service_id: str, at: float, phases: Phases) -> None:
        seconds = (phases.dns, phases.connect, phases.tls, phases.first_byte, phases.transfer)
        rings = self._phases.get(service_id)
        if rings is None:
            rings = self._phases[service_id] = Rings(PHASE_TIERS, len(seconds))
        rings.add(at, seconds)

    def use(self, service_id: str, at: float, usage: Usage) -> None:
        """Note cores in percent, bytes of memory and its limit, and bytes a second in, out, read and written."""
        counters = usage.network_in_bytes, usage.network_out_bytes, usage.block_read_bytes, usage.block_write_bytes
        amounts = usage.cpu_percent, usage.memory_bytes, usage.memory_limit_bytes
        figures = (*map(_known, amounts), *self._rates(service_id, at, counters))
        self._usage.setdefault(service_id, Rings(USAGE_TIERS, len(figures))).add(at, figures)

    def _rates(self, service_id: str, at: float, counters: Counters) -> list[float]:
        """Per second since the last time; unknown for the first, and where a counter began anew."""
        before_at, before = self._last.get(service_id, (at, counters))
        self._last[service_id] = at, counters
        passed = at - before_at
        return [
            math.nan if now is None or then is None or now < then or passed < LEAST_SECONDS else (now - then) / passed
            for now, then in zip(counters, before, strict=True)
        ]

    def _keep_only(self, services: Mapping[str, Service]) -> None:
        for gone in (self._usage.keys() | self._phases.keys()) - services.keys():
            self._usage.pop(gone, None)
            self._phases.pop(gone, None)
            self._last.pop(gone, None)

    def usage(self, service_id: str, since: datetime, until: datetime) -> Read:
        return _read(self._usage.get(service_id), since, until)

    def phases(self, service_id: str, since: datetime, until: datetime) -> Read:
        return _read(self._phases.get(service_id), since, until)


def _read(rings: Rings | None, since: datetime, until: datetime) -> Read:
    return rings.read(since.timestamp(), until.timestamp(), MOST_POINTS) if rings else (0, [])


def _known(figure: float | None) -> float:
    return math.nan if figure is None else float(figure)
