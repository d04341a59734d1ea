"""Incidents and events: what happened, as lists by cursor, one in full, and what people add."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from fks_master.api.answers import as_json, problem
from fks_master.api.endpoint import Access, Endpoint
from fks_master.api.questions import read_body, read_query, unavailable
from fks_master.errors import StorageError
from fks_master.history.archive import LAST, LONG_AGO, NEVER, Archive, Incident, Wanted
from fks_master.history.postmortem import postmortem
from fks_master.hub import Hub
from fks_master.model import Event

Count = Annotated[int, Meta(ge=1, le=1000)]
Moment = Annotated[datetime, Meta(tz=True)]


class IncidentQuery(msgspec.Struct, frozen=True):
    """`cursor` is `next` of the page before; `since` and `until` bound the time."""

    service_id: str | None = None
    state: Literal["all", "open", "closed"] = "all"
    since: Moment = LONG_AGO
    until: Moment = NEVER
    cursor: int = LAST
    limit: Count = 100


class EventQuery(msgspec.Struct, frozen=True):
    """Like IncidentQuery, with a type of event."""

    service_id: str | None = None
    event_type: str | None = None
    since: Moment = LONG_AGO
    until: Moment = NEVER
    cursor: int = LAST
    limit: Count = 100


class IncidentPage(msgspec.Struct, frozen=True):
    """Newest first; `next` is the cursor of the following page, null at the end."""

    incidents: list[Incident]
    next: int | None


class EventPage(msgspec.Struct, frozen=True):
    """Newest first; `next` is the cursor of the following page, null at the end."""

    events: list[Event]
    next: int | None


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person adds; `by` is shown beside it."""

    text: Annotated[str, Meta(min_length=1, max_length=10_000)]
    by: Annotated[str, Meta(max_length=100)] = "operator"


class Acknowledgement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who looks after it."""

    by: Annotated[str, Meta(max_length=100)] = "operator"


class IncidentRoutes:
    """Reads the archive."""

    def __init__(self, archive: Archive, hub: Hub) -> None:
        self._archive = archive
        self._hub = hub

    def endpoints(self) -> list[Endpoint]:
        read, operate = Access.READ, Access.OPERATE
        one = "/api/incidents/{incident_id}"
        return [
            Endpoint(
                method="GET", path="/api/incidents", handle=self.incidents, access=read,
                summary="Incidents, newest first", answer=IncidentPage, query=IncidentQuery, errors=(400, 503),
            ),
            Endpoint(
                method="GET", path=one, handle=self.incident, access=read,
                summary="One incident with timeline and evidence", answer=Incident, errors=(404, 503),
            ),
            Endpoint(
                method="GET", path=f"{one}/postmortem", handle=self.postmortem, access=read,
                summary="A post-mortem to begin with", media_type="text/markdown", errors=(404, 503),
            ),
            Endpoint(
                method="POST", path=f"{one}/notes", handle=self.note, access=operate,
                summary="Add a note", body=Note, answer=Incident, errors=(400, 404, 413, 503),
            ),
            Endpoint(
                method="POST", path=f"{one}/acknowledge", handle=self.acknowledge, access=operate,
                summary="Say that somebody looks after it", body=Acknowledgement, answer=Incident,
                errors=(400, 404, 413, 503),
            ),
            Endpoint(
                method="GET", path="/api/events", handle=self.events, access=read,
                summary="Events, newest first", answer=EventPage, query=EventQuery, errors=(400, 503),
            ),
        ]  # fmt: skip

    async def incidents(self, request: Request) -> Response:
        query = read_query(request, IncidentQuery)
        if isinstance(query, Response):
            return query
        wanted = Wanted(
            service_id=query.service_id, state=query.state, since=query.since, until=query.until,
            before=max(0, min(query.cursor, LAST)), count=query.limit,
        )  # fmt: skip
        try:
            return as_json(IncidentPage(*await self._archive.incidents(wanted)))
        except StorageError as error:
            return unavailable(error)

    async def events(self, request: Request) -> Response:
        query = read_query(request, EventQuery)
        if isinstance(query, Response):
            return query
        wanted = Wanted(
            service_id=query.service_id, event_type=query.event_type, since=query.since, until=query.until,
            before=max(0, min(query.cursor, LAST)), count=query.limit,
        )  # fmt: skip
        try:
            return as_json(EventPage(*await self._archive.events(wanted)))
        except StorageError as error:
            return unavailable(error)

    async def incident(self, request: Request) -> Response:
        found = await self._find(request)
        return found if isinstance(found, Response) else as_json(found)

    async def postmortem(self, request: Request) -> Response:
        found = await self._find(request)
        if isinstance(found, Response):
            return found
        service = self._hub.services.get(found.service_id)
        text = postmortem(found, service.name if service else found.service_id, self._archive.now())
        return Response(text, media_type="text/markdown")

    async def note(self, request: Request) -> Response:
        note = await read_body(request, Note)
        if isinstance(note, Response):
            return note
        found = await self._find(request)
        if isinstance(found, Response):
            return found
        return await self._changed(request, self._archive.note(found.id, note.text, note.by))

    async def acknowledge(self, request: Request) -> Response:
        body = await read_body(request, Acknowledgement)
        if isinstance(body, Response):
            return body
        found = await self._find(request)
        if isinstance(found, Response):
            return found
        return await self._changed(request, self._archive.acknowledge(found.id, body.by))

    async def _changed(self, request: Request, change: Awaitable[None]) -> Response:
        try:
            await change
        except StorageError as error:
            return unavailable(error)
        return await self.incident(request)

    async def _find(self, request: Request) -> Incident | Response:
        incident_id = request.path_params["incident_id"]
        try:
            found = await self._archive.incident(incident_id)
        except StorageError as error:
            return unavailable(error)
        if found is None:
            return problem(404, "Unknown incident", f"no incident {incident_id[:100]!r}; see /api/incidents")
        return found
