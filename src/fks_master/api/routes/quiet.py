"""What is muted: silences that people make, and maintenance, planned in the config or while we run."""

import secrets
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from fks_master.alerts import matchers
from fks_master.alerts.alerter import Alerter
from fks_master.alerts.silences import Silence, Window
from fks_master.alerts.store import WINDOW_MARK
from fks_master.api.answers import as_json, problem
from fks_master.api.endpoint import Access, Endpoint
from fks_master.api.questions import read_body
from fks_master.clock import Clock

MOST = 1000
LONGEST = timedelta(days=366)
Short = Annotated[str, Meta(max_length=100)]


class NewSilence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to mute and for how long.

    `matchers` maps labels (service_id, service_type, event_type, severity, and those of the config) to patterns with
    `*` and `?`, `where` holds conditions such as `severity!=info` or `service_id=~fks_(api|web)`; all must fit. Either
    `ends`, or `duration_seconds` from now.
    """

    matchers: Annotated[dict[Short, Short], Meta(max_length=20)] = {}
    where: Annotated[tuple[Annotated[str, Meta(max_length=300)], ...], Meta(max_length=20)] = ()
    comment: Annotated[str, Meta(max_length=1000)] = ""
    author: Short = ""
    duration_seconds: Annotated[float, Meta(gt=0)] | None = None
    ends: datetime | None = None

    def bound(self, now: datetime) -> datetime:
        """Return when it ends; raises ValueError where that cannot be."""
        if not (self.matchers or self.where):
            raise ValueError("expected at least one of matchers and where: a silence of everything is a mistake")
        for one in self.where:
            _check(one)
        if (self.ends is None) == (self.duration_seconds is None):
            raise ValueError("expected either ends or duration_seconds")
        if self.ends is not None and self.ends.tzinfo is None:
            raise ValueError("ends: expected a time with its zone, such as 2026-01-31T03:00:00Z")
        longest = LONGEST.total_seconds()
        ends = self.ends or now + timedelta(seconds=min(self.duration_seconds or 0.0, longest + 1))
        if not now < ends <= now + LONGEST:
            raise ValueError("the end must be later than now, and at most a year away")
        return ends


class NewWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Maintenance of some services (all, if none is named), from `begins` (now) on.

    It lasts until `ends`, or for `duration_seconds`.
    """

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    services: Annotated[tuple[Short, ...], Meta(max_length=1000)] = ()
    author: Short = ""
    begins: datetime | None = None
    ends: datetime | None = None
    duration_seconds: Annotated[float, Meta(gt=0)] | None = None

    def bounds(self, now: datetime) -> tuple[datetime, datetime]:
        """Return when it begins and ends; raises ValueError where that cannot be."""
        if (self.ends is None) == (self.duration_seconds is None):
            raise ValueError("expected either ends or duration_seconds")
        if any(moment is not None and moment.tzinfo is None for moment in (self.begins, self.ends)):
            raise ValueError("expected times with their zone, such as 2026-01-31T03:00:00Z")
        begins = self.begins or now
        longest = LONGEST.total_seconds()
        ends = self.ends or begins + timedelta(seconds=min(self.duration_seconds or 0.0, longest + 1))
        if not (begins < ends <= begins + LONGEST and now < ends and begins <= now + LONGEST):
            raise ValueError("the end must be later than the beginning and than now, and both at most a year away")
        return begins, ends


class WindowLine(msgspec.Struct, frozen=True):
    """A maintenance window, and whether it lasts at this moment. One that was planned over the API has an `id`."""

    window: Window
    is_active: bool


class QuietRoutes:
    """Shows and changes what is muted."""

    def __init__(self, alerter: Alerter, clock: Clock) -> None:
        self._world = alerter.pipeline.world
        self._quiet = alerter.quiet
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        read, operate = Access.READ, Access.OPERATE
        return [
            Endpoint(
                method="GET", path="/api/silences", handle=self.silences, access=read,
                summary="Silences that last or are to come", answer=list[Silence],
            ),
            Endpoint(
                method="POST", path="/api/silences", handle=self.silence, access=operate, status=201,
                summary="Mute alerts for a time", body=NewSilence, answer=Silence, errors=(400, 409, 413),
            ),
            Endpoint(
                method="DELETE", path="/api/silences/{silence_id}", handle=self.lift, access=operate, status=204,
                summary="End a silence now", errors=(404,),
            ),
            Endpoint(
                method="GET", path="/api/maintenance", handle=self.maintenance, access=read,
                summary="Maintenance windows: of the config, and planned", answer=list[WindowLine],
            ),
            Endpoint(
                method="POST", path="/api/maintenance", handle=self.plan, access=operate, status=201,
                summary="Plan maintenance, once", body=NewWindow, answer=Window, errors=(400, 404, 409, 413),
            ),
            Endpoint(
                method="DELETE", path="/api/maintenance/{window_id}", handle=self.cancel, access=operate, status=204,
                summary="End planned maintenance now, or call it off", errors=(404,),
            ),
        ]  # fmt: skip

    async def silences(self, _: Request) -> Response:
        return as_json(self._quiet.lasting(self._clock.now()))

    async def silence(self, request: Request) -> Response:
        body = await read_body(request, NewSilence)
        if isinstance(body, Response):
            return body
        now = self._clock.now()
        try:
            ends = body.bound(now)
        except (ValueError, OverflowError) as error:
            return problem(400, "Bad request", str(error))
        if len(self._quiet.lasting(self._clock.now())) >= MOST:
            return problem(409, "Too many silences", f"{MOST} last already; end some of them first")
        made = Silence(
            secrets.token_hex(8), body.matchers, now, ends, _who(request, body.author), body.comment, body.where
        )
        await self._quiet.silence(made)
        return as_json(made, 201)

    async def lift(self, request: Request) -> Response:
        name = request.path_params["silence_id"]
        if await self._quiet.lift(name):
            return Response(status_code=204)
        return problem(404, "Unknown silence", f"no silence {name[:100]!r} lasts; see /api/silences")

    async def maintenance(self, _: Request) -> Response:
        now = self._clock.now()
        windows = (*self._world.windows, *self._quiet.planned(now))
        return as_json([WindowLine(one, one.is_active(now)) for one in windows])

    async def plan(self, request: Request) -> Response:
        body = await read_body(request, NewWindow)
        if isinstance(body, Response):
            return body
        now = self._clock.now()
        try:
            begins, ends = body.bounds(now)
        except (ValueError, OverflowError) as error:
            return problem(400, "Bad request", str(error))
        if unknown := [one for one in body.services if one not in self._world.services()]:
            return problem(404, "Unknown service", f"no service {unknown[0][:100]!r} is watched")
        if len(self._quiet.planned(now)) >= MOST:
            return problem(409, "Too many windows", f"{MOST} are planned already; call some of them off first")
        made = Window(
            body.name, body.services, begins, ends, id=WINDOW_MARK + secrets.token_hex(8),
            author=_who(request, body.author),
        )  # fmt: skip
        await self._quiet.plan(made)
        return as_json(made, 201)

    async def cancel(self, request: Request) -> Response:
        name = request.path_params["window_id"]
        if await self._quiet.cancel(name):
            return Response(status_code=204)
        return problem(404, "Unknown window", f"no planned window {name[:100]!r}; see /api/maintenance")


def _check(condition: str) -> None:
    try:
        matchers.parse(condition)
    except ValueError as error:
        raise ValueError(f"where: found {condition[:100]!r}, expected {error}") from error


def _who(request: Request, said: str) -> str:
    return said or request.scope["state"]["caller"].name
