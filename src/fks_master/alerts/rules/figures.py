"""Objectives as figures: for `/metrics`, and for people."""

from collections.abc import Iterator, Mapping

import msgspec

from fks_master.alerts.rules.book import RuleBook
from fks_master.alerts.rules.slo import FAST, SLOW, WINDOWS
from fks_master.model import Family, Service

NAMES = {300: "5m", 1800: "30m", 3600: "1h", 7200: "2h", 21600: "6h", 86400: "1d", 259200: "3d"}


class SloLine(msgspec.Struct, frozen=True):
    """One service's objective. A burn rate of 1 uses the budget up in exactly its period; `burning` is fast or slow."""

    service_id: str
    service_name: str
    objective_percent: float
    period_days: float
    latency_ms: float | None
    budget_left_percent: float
    burn_rates: dict[str, float]
    burning: str | None


def lines(book: RuleBook, services: Mapping[str, Service]) -> Iterator[SloLine]:
    """Give one line a service that has an objective, as it stood after its last check."""
    for service_id, budget in book.budgets.items():
        service = services.get(service_id)
        if service is None or service.slo is None:
            continue
        burn, pace = budget.latest, budget.latest.pace((*FAST, *SLOW))
        yield SloLine(
            service_id,
            service.name,
            budget.objective.objective_percent,
            budget.objective.period_days,
            budget.objective.latency_ms,
            round(100 * burn.remaining, 4),
            {NAMES[window]: round(burn.rates[window], 3) for window in WINDOWS},
            pace.name if pace else None,
        )


def families(book: RuleBook, services: Mapping[str, Service]) -> list[Family]:
    found = [({"service_id": one.service_id, "service_name": one.service_name}, one) for one in lines(book, services)]
    rates = [({**named, "window": name}, rate) for named, one in found for name, rate in one.burn_rates.items()]
    return [
        Family(
            "fks_slo_objective_ratio", "gauge", "The share of checks that is to be good.",
            tuple((named, one.objective_percent / 100) for named, one in found),
        ),
        Family(
            "fks_slo_error_budget_remaining_ratio", "gauge",
            "The share of the period's error budget that is left; below zero the objective is missed.",
            tuple((named, one.budget_left_percent / 100) for named, one in found),
        ),
        Family(
            "fks_slo_burn_rate", "gauge", "How fast the error budget burns; at 1 it lasts exactly its period.",
            tuple(rates),
        ),
    ]  # fmt: skip
