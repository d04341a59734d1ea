"""Finds the route of a request by the beginning of its path, instead of trying all."""

from collections.abc import Iterable
from itertools import chain

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

ROUTE = "fks_route"


class Indexed(BaseRoute):
    """The routes as one: they are told apart by their first two segments, where these are fixed."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_start: dict[tuple[str, ...], list[Route]] = {}
        for route in routes:
            start = tuple(_segments(route.path))
            fixed = start[:1] if len(start) == 1 or "{" in start[1] else start
            self._by_start.setdefault(fixed, []).append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        if len(scope["path"]) > 2:
            scope = {**scope, "path": scope["path"].removesuffix("/")}  # a slash at the end makes no other route
        start = tuple(_segments(scope["path"]))
        partial: tuple[Match, Scope] = (Match.NONE, {})
        for route in chain(self._by_start.get(start, ()), self._by_start.get(start[:1], ()) if start[1:] else ()):
            match, found = route.matches(scope)
            if match is Match.FULL:
                return match, {**found, ROUTE: route}
            if match is Match.PARTIAL and partial[0] is Match.NONE:
                partial = match, {**found, ROUTE: route}
        return partial

    def find(self, scope: Scope) -> Route | None:
        """Return the route that answers a request; its parameters and its template are put into the scope."""
        match, found = self.matches(scope)
        if match is not Match.FULL:
            return None
        scope.update(found)
        route: Route = found[ROUTE]
        scope["state"]["template"] = route.path
        return route

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        route: Route = scope[ROUTE]
        scope["state"]["template"] = route.path
        await route.handle(scope, receive, send)


def _segments(path: str) -> list[str]:
    """Return the first segment, or the first two."""
    return path.split("/", 3)[1:3]
