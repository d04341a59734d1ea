"""The rules in force, and of whom they hold."""

from starlette.requests import Request
from starlette.responses import Response

from fks_master.alerts.pipeline import Pipeline
from fks_master.alerts.rules import RuleBook
from fks_master.alerts.rules.sheet import Facts, RuleLine, sheet
from fks_master.api.answers import as_json
from fks_master.api.endpoint import Access, Endpoint


class RuleRoutes:
    """Shows the sheet of rules."""

    def __init__(self, book: RuleBook, pipeline: Pipeline) -> None:
        self._book = book
        self._pipeline = pipeline

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET", path="/api/alerts/rules", handle=self.rules, access=Access.READ,
                summary="The rules in force, and of whom they hold or are about to be said", answer=list[RuleLine],
            ),
        ]  # fmt: skip

    async def rules(self, _: Request) -> Response:
        world = self._pipeline.world
        return as_json(sheet(self._book, Facts(world.services(), world.states(), self._pipeline.alerts, world.policy)))
