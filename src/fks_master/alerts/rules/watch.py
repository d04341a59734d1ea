"""Runs the book of rules: sees what the bus brings, judges once a second, and announces."""

from collections.abc import Awaitable, Callable, Iterable

import structlog

from fks_master.alerts.rules.book import RuleBook
from fks_master.clock import Clock
from fks_master.errors import StorageError
from fks_master.events.bus import Bus
from fks_master.model import Change, Event, Service

log = structlog.get_logger(__name__)

SECONDS = 1.0
CAPACITY = 20_000

# (service, seconds back) → (moment, good, bad)
Counts = Callable[[str, float], Awaitable[Iterable[tuple[float, int, int]]]]


async def watch(book: RuleBook, bus: Bus[Change], announce: Callable[[Event], None], clock: Clock) -> None:
    """Go on until cancelled."""
    with bus.subscribe(CAPACITY) as news:
        while True:
            await clock.sleep(SECONDS)
            now = clock.monotonic()
            for change in news.take():
                book.see(change, now)
            for event in book.judge(now, clock.now()):
                announce(event)


async def refill(book: RuleBook, services: Iterable[Service], counts: Counts) -> None:
    """Take up what was counted before this process began; what cannot be read is missing, and counts as good."""
    budgets = [(service, budget) for service in services if (budget := book.budget(service)) is not None]
    for service, budget in budgets:
        for level, reach in enumerate(budget.reaches):
            try:
                budget.refill(level, await counts(service.id, reach))
            except StorageError as error:
                log.warning("slo_not_restored", service_id=service.id, error=str(error))
                return
