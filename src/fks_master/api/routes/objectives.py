"""Objectives: how much of each error budget is left, and how fast it burns."""

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from fks_master.alerts.rules import RuleBook
from fks_master.alerts.rules.figures import SloLine, lines
from fks_master.api.answers import as_json
from fks_master.api.endpoint import Access, Endpoint
from fks_master.model import Service


class ObjectiveRoutes:
    """Shows the accounts of the book."""

    def __init__(self, book: RuleBook, services: Callable[[], Mapping[str, Service]]) -> None:
        self._book = book
        self._services = services

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET", path="/api/slo", handle=self.objectives, access=Access.PUBLIC,
                summary="Objectives, error budgets and burn rates; the least left first", answer=list[SloLine],
            ),
        ]  # fmt: skip

    async def objectives(self, _: Request) -> Response:
        found = lines(self._book, self._services())
        return as_json(sorted(found, key=lambda one: one.budget_left_percent))
