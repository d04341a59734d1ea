"""`/status` for the public: off by default, chosen services only, made anew at most twice a minute."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fks_master.api.answers import problem
from fks_master.api.endpoint import Access, Endpoint
from fks_master.api.status_page import Day, Line, Page, Trouble, render
from fks_master.clock import Clock
from fks_master.errors import StorageError
from fks_master.history.archive import Archive, Wanted
from fks_master.history.badge import GREEN, GREY, RED, YELLOW, badge, uptime_colour, uptime_text
from fks_master.history.measures import Measures
from fks_master.hub import Hub
from fks_master.model import Status

DAYS = 90
TROUBLES = timedelta(days=14)
MOST_TROUBLES = 50
FRESH_SECONDS = 30.0
COLOURS = {Status.HEALTHY: GREEN, Status.DEGRADED: YELLOW, Status.UNHEALTHY: RED, Status.UNKNOWN: GREY}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'",
    "Cache-Control": "max-age=30",
}


class Shown(msgspec.Struct, frozen=True):
    """What the page shows; None of it while it is off."""

    enabled: bool = False
    title: str = "Status"
    services: tuple[str, ...] = ()


class Past(msgspec.Struct, frozen=True):
    """Who knows what was."""

    measures: Measures
    archive: Archive
    planned: Callable[[datetime], Collection[str]]


class StatusPageRoutes:
    """`shown` may change while we run."""

    def __init__(self, hub: Hub, past: Past, clock: Clock, shown: Shown) -> None:
        self._hub = hub
        self._past = past
        self._clock = clock
        self._shown = shown
        self._making = asyncio.Lock()
        self._made: tuple[float, Page] | None = None

    def show(self, shown: Shown) -> None:
        self._shown, self._made = shown, None

    def endpoints(self) -> list[Endpoint]:
        def endpoint(path: str, handle: Callable, summary: str, media_type: str) -> Endpoint:  # type: ignore[type-arg]
            return Endpoint(
                method="GET", path=path, handle=handle, access=Access.OPEN, summary=summary, media_type=media_type,
                errors=(404,),
            )  # fmt: skip

        one, svg = "/status/{service_id}", "image/svg+xml"
        return [
            endpoint("/status", self.page, "The public status page, if it is switched on", "text/html"),
            endpoint(f"{one}/health.svg", self.health, "The present status of a service on the status page", svg),
            endpoint(f"{one}/uptime.svg", self.uptime, "The uptime over 90 days of a service on the status page", svg),
        ]

    async def page(self, _: Request) -> Response:
        if not self._shown.enabled:
            return problem(404, "Not found", "there is no public status page here")
        return Response(render(await self._fresh()), media_type="text/html", headers=HEADERS)

    async def health(self, request: Request) -> Response:
        line = await self._line(request)
        return _badge("status", line.status, COLOURS[line.status]) if line else _nothing()

    async def uptime(self, request: Request) -> Response:
        line = await self._line(request)
        if line is None:
            return _nothing()
        return _badge(f"uptime {DAYS}d", uptime_text(line.percent), uptime_colour(line.percent))

    async def _line(self, request: Request) -> Line | None:
        service_id = request.path_params["service_id"]
        if not self._shown.enabled or service_id not in self._chosen():
            return None
        return (await self._fresh()).lines[self._chosen().index(service_id)]

    def _chosen(self) -> list[str]:
        return [each for each in self._shown.services if each in self._hub.services]

    async def _fresh(self) -> Page:
        """Make the page, or give the one just made: a crowd of readers costs no more than one."""
        async with self._making:
            now = self._clock.monotonic()
            if self._made is None or now - self._made[0] >= FRESH_SECONDS:
                self._made = (now, await self._make())
            return self._with_status(self._made[1])

    def _with_status(self, page: Page) -> Page:
        """Put in how things stand at this moment."""
        planned, chosen = self._past.planned(self._clock.now()), self._chosen()
        if len(chosen) != len(page.lines):
            return page
        lines = [
            msgspec.structs.replace(line, status=self._hub.states[each].status, is_planned=each in planned)
            for each, line in zip(chosen, page.lines, strict=True)
        ]
        return msgspec.structs.replace(page, lines=tuple(lines), at=self._clock.now())

    async def _make(self) -> Page:
        """Ask for the past of each; where the store does not answer once, it is not asked for the others."""
        now, chosen = self._clock.now(), self._chosen()
        names = {each: self._hub.services[each].name for each in chosen}
        lines = {each: Line(name, self._hub.states[each].status) for each, name in names.items()}
        troubles: tuple[Trouble, ...] = ()
        with suppress(StorageError):
            for each in chosen:
                lines[each] = await self._history(each, lines[each], now)
            troubles = await self._troubles(names, now)
        return Page(self._shown.title, now, tuple(lines[each] for each in chosen), troubles)

    async def _history(self, service_id: str, line: Line, now: datetime) -> Line:
        first = now.date() - timedelta(days=DAYS - 1)
        days = await self._past.measures.days(service_id, DAYS, now)
        whole = await self._past.measures.uptime(service_id, now - timedelta(days=DAYS), now)
        bars = [Day(first + timedelta(days=index), day.uptime_percent) for index, day in enumerate(days)]
        return msgspec.structs.replace(line, percent=whole.uptime_percent, days=tuple(bars))

    async def _troubles(self, names: Mapping[str, str], now: datetime) -> tuple[Trouble, ...]:
        found: list[Trouble] = []
        for service_id, name in names.items():
            wanted = Wanted(service_id=service_id, since=now - TROUBLES, until=now, count=MOST_TROUBLES)
            incidents, _ = await self._past.archive.incidents(wanted)
            found += (Trouble(name, one.started_at, one.ended_at) for one in incidents)
        return tuple(sorted(found, key=lambda one: one.began, reverse=True)[:MOST_TROUBLES])


def _badge(label: str, text: str, colour: str) -> Response:
    return Response(badge(label, text, colour), media_type="image/svg+xml", headers=HEADERS)


def _nothing() -> Response:
    return problem(404, "Not found", "no such service is on the status page")
