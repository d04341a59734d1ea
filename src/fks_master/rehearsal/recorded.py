"""What was recorded, as a script: the services behave as they did, and the config of today decides who is told.

A service answers as its last change of status says, and is asked at its interval; how fast it answered is not played,
so rules about latency see nothing. What the monitor did itself, and what became of containers, happens again.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from fks_master.config.schema import Config
from fks_master.model import Event, EventType, Reason, Status
from fks_master.rehearsal.script import Behaviour, Script, Step
from fks_master.storage import care
from fks_master.storage.database import to_ms

BEHAVIOURS = {
    Status.HEALTHY.value: Behaviour.OK,
    Status.DEGRADED.value: Behaviour.DEGRADED,
    Status.UNHEALTHY.value: Behaviour.FAIL,
}
AGAIN = {
    EventType.ACTION_STARTED,
    EventType.ACTION_FINISHED,
    EventType.SERVICE_RESTARTED,
    EventType.COMPOSE_STARTED,
    EventType.COMPOSE_FINISHED,
    EventType.CONTAINER_DIED,
    EventType.SYSTEM_ALERT,
}
_REASONS = {one.value: one for one in Reason}


def read_recorded(path: Path, config: Config, since: datetime, until: datetime) -> Script:
    """Make a script of a history in a SQLite file, while the monitor runs or not. Raises StorageError."""
    held, happened = care.events(path, to_ms(since), to_ms(until))
    known = {service.id for service in config.services}
    steps = [*_steps(_decoded(held), since, known, is_before=True), *_steps(_decoded(happened), since, known)]
    seconds = (until - since).total_seconds()
    return Script(config, since, seconds, tuple(sorted(steps, key=lambda one: one.seconds)), None)


def _decoded(bodies: Iterable[str]) -> Iterator[Event]:
    for body in bodies:
        try:
            yield msgspec.json.decode(body, type=Event)
        except (msgspec.ValidationError, msgspec.DecodeError):
            continue  # of a version that knew other events


def _steps(events: Iterable[Event], since: datetime, known: set[str], *, is_before: bool = False) -> Iterator[Step]:
    for event in events:
        at = "0s" if is_before else f"{max(0.0, (event.timestamp - since).total_seconds()):.3f}s"
        if event.service_id is not None and event.service_id not in known:
            continue
        behaviour = BEHAVIOURS.get(str(event.data.get("new")))
        if event.event_type is EventType.STATUS_CHANGED and behaviour:
            reason = _REASONS.get(str(event.data.get("reason")), Reason.REFUSED)
            error = event.data.get("error")
            message = str(error) if error else None
            yield Step(at=at, service=event.service_id, is_=behaviour, reason=reason, message=message)
        elif event.event_type in AGAIN:
            yield Step(at=at, service=event.service_id, event=event.event_type, data=event.data, message=event.message)
