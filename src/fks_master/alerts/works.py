"""What we do to services ourselves, as events tell of it: nobody is told of its consequences while it lasts.

A restart lasts until the service was seen well, a Compose job until a moment after its end; whatever fails, or was
meant to end a service, lasts no longer than itself.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from fks_master.model import Event, EventType

LONGEST = timedelta(hours=1)
SETTLING = timedelta(seconds=60)
ENDS_SERVICES = {"stop", "down"}


class Place(msgspec.Struct, frozen=True):
    """Where a service stands in Compose."""

    project: str
    service: str


class Span(msgspec.Struct, frozen=True):
    """A time that ends, also where the clock steps back."""

    since: datetime
    until: datetime

    def has(self, now: datetime) -> bool:
        return self.since <= now < self.until

    def shifted(self, step: timedelta) -> "Span":
        return Span(self.since + step, self.until + step)


class Job(msgspec.Struct, frozen=True):
    """A Compose job; without services it works on all of its project."""

    project: str
    services: frozenset[str]
    span: Span


class Works:
    """Hears events, and says who is being worked on."""

    def __init__(self) -> None:
        self._services: dict[str, Span] = {}
        self._jobs: dict[str, Job] = {}

    def hear(self, event: Event, now: datetime) -> None:
        if event.event_type in {EventType.COMPOSE_STARTED, EventType.COMPOSE_FINISHED}:
            self._hear_job(event, now)
        elif event.service_id and event.event_type is EventType.ACTION_STARTED:
            self._services[event.service_id] = Span(now, now + LONGEST)
        elif event.service_id and event.event_type is EventType.ACTION_FINISHED and _settles(event.data, "success"):
            self._services[event.service_id] = Span(now, now + SETTLING)
        elif event.event_type in {EventType.ACTION_FINISHED, EventType.SERVICE_RESTARTED}:
            self._services.pop(event.service_id or "", None)

    def are_on(self, service_id: str, place: Place | None, now: datetime) -> bool:
        if service_id in self._services and self._services[service_id].has(now):
            return True
        jobs = self._jobs.values() if place else ()
        return any(
            job.project == place.project and job.span.has(now) and (not job.services or place.service in job.services)
            for job in jobs
            if place
        )

    def shift(self, step: timedelta) -> None:
        """Hear that the wall clock has stepped: what lasts goes on lasting as long as it would have."""
        self._services = {name: span.shifted(step) for name, span in self._services.items()}
        jobs = self._jobs.items()
        self._jobs = {name: msgspec.structs.replace(job, span=job.span.shifted(step)) for name, job in jobs}

    def _hear_job(self, event: Event, now: datetime) -> None:
        job_id, data = str(event.data.get("job_id")), event.data
        self._jobs = {id_: job for id_, job in self._jobs.items() if job.span.has(now) and id_ != job_id}
        has_ended = event.event_type is EventType.COMPOSE_FINISHED
        if has_ended and not _settles({**data, "success": data.get("state") == "succeeded"}, "success"):
            return
        named = data.get("services")
        services = frozenset(str(one) for one in named) if isinstance(named, list | tuple) else frozenset[str]()
        self._jobs[job_id] = Job(
            str(data.get("project")), services, Span(now, now + (SETTLING if has_ended else LONGEST))
        )


def _settles(data: Mapping[str, object], key: str) -> bool:
    return bool(data.get(key)) and data.get("action") not in ENDS_SERVICES
