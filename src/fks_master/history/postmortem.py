"""A post-mortem to begin with: what is known of an incident as Markdown, and the questions that people answer."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from fks_master.history.archive import Evidence, Incident
from fks_master.history.incidents import Entry


def postmortem(incident: Incident, name: str, now: datetime) -> str:
    return "\n".join(_lines(incident, name, now)) + "\n"


def _lines(incident: Incident, name: str, now: datetime) -> Iterator[str]:
    seconds = round(((incident.ended_at or now) - incident.started_at).total_seconds())
    yield f"# {_plain(name)} was down: {_plain(incident.cause)}"
    yield ""
    yield f"- Incident: {incident.id}"
    yield f"- Service: {_plain(incident.service_id)}"
    yield f"- Began: {_time(incident.started_at)}"
    yield f"- Ended: {_time(incident.ended_at) if incident.ended_at else 'it goes on'}"
    yield f"- Lasted: {seconds // 3600} h {seconds // 60 % 60} min {seconds % 60} s"
    if incident.acknowledged_at:
        yield f"- Acknowledged: {_time(incident.acknowledged_at)} by {_plain(incident.acknowledged_by or '')}"
    yield from ("", "## Timeline", "", "| when | what | |", "|---|---|---|")
    yield from (_row(entry) for entry in incident.timeline)
    yield from ("", "## Evidence", "")
    for one in incident.evidence:
        yield from _evidence(one)
    yield from ("## What was the cause?", "", "## What will keep it from happening again?")


def _row(entry: Entry) -> str:
    return f"| {_time(entry.at)} | {entry.kind} | {_plain(entry.message)} |"


def _evidence(one: Evidence) -> Iterator[str]:
    text = msgspec.json.format(msgspec.json.encode(one.data), indent=2).decode()
    yield from (f"### {one.kind}, {_time(one.at)}", "")
    yield from (f"    {line}" for line in text.splitlines())
    yield ""


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _plain(text: str) -> str:
    """Keep what others wrote from being read as Markdown or HTML."""
    words = " ".join(text.split())
    for sign in ("\\", "|", "<", "[", "]", "`", "*", "_"):
        words = words.replace(sign, f"\\{sign}" if sign != "<" else "&lt;")
    return words
