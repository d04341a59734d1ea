"""The public status page as HTML: for readers without scripts, from a few plain facts; every text is escaped.

It shows names, not ids, addresses or errors: what went wrong inside is nobody's business out there.
"""

from collections.abc import Iterator
from datetime import date, datetime
from html import escape

import msgspec

from fks_master.history.badge import uptime_text
from fks_master.model import Status

WORDS = {
    Status.HEALTHY: "Operational",
    Status.DEGRADED: "Slow or impaired",
    Status.UNHEALTHY: "Down",
    Status.UNKNOWN: "Unknown",
}
BAR, GAP, HEIGHT = 6, 2, 28


class Day(msgspec.Struct, frozen=True):
    """`percent` is the uptime of that day; None: nothing is known."""

    day: date
    percent: float | None


class Line(msgspec.Struct, frozen=True):
    """One service."""

    name: str
    status: Status
    is_planned: bool = False
    percent: float | None = None
    days: tuple[Day, ...] = ()


class Trouble(msgspec.Struct, frozen=True):
    """One incident, by whom it hit and when."""

    name: str
    began: datetime
    ended: datetime | None


class Page(msgspec.Struct, frozen=True):
    """All that is shown."""

    title: str
    at: datetime
    lines: tuple[Line, ...]
    troubles: tuple[Trouble, ...] = ()


def render(page: Page) -> str:
    return "\n".join(_page(page))


def sentence(page: Page) -> str:
    """Say how things stand."""
    down = [line for line in page.lines if line.status is Status.UNHEALTHY and not line.is_planned]
    if down:
        return f"{down[0].name} is down" if len(down) == 1 else f"{len(down)} services are down"
    if any(line.status is Status.DEGRADED and not line.is_planned for line in page.lines):
        return "Some services are slow or impaired"
    if any(line.is_planned for line in page.lines):
        return "Maintenance is under way"
    if any(line.status is Status.UNKNOWN for line in page.lines):
        return "Not everything has been looked at yet"
    return "All services are operational"


def _page(page: Page) -> Iterator[str]:
    title = escape(page.title)
    yield "<!DOCTYPE html>"
    yield f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta http-equiv="refresh" content="60"><link rel="stylesheet" href="/static/status.css"></head>'
    yield f'<body><main><h1>{title}</h1><p class="sentence {_worst(page)}">{escape(sentence(page))}</p>'
    yield '<ul class="services">'
    for line in page.lines:
        yield from _line(line)
    yield "</ul><h2>Past 14 days</h2>"
    yield from _troubles(page.troubles)
    yield f'<p class="at">As of {_time(page.at)}. All times are UTC.</p></main></body></html>'


def _line(line: Line) -> Iterator[str]:
    word = "Maintenance" if line.is_planned else WORDS[line.status]
    kind = "planned" if line.is_planned else line.status.lower()
    yield f'<li><div class="head"><b>{escape(line.name)}</b><span class="status {kind}">{word}</span></div>'
    if line.days:
        yield _bars(line)
    if line.percent is not None:
        yield f'<p class="uptime">{_percent(line.percent)} uptime over {len(line.days)} days</p>'
    yield "</li>"


def _bars(line: Line) -> str:
    width = len(line.days) * (BAR + GAP) - GAP
    bars = "".join(
        f'<rect class="{_kind(day.percent)}" x="{index * (BAR + GAP)}" width="{BAR}" height="{HEIGHT}">'
        f"<title>{day.day.isoformat()}: {_percent(day.percent)}</title></rect>"
        for index, day in enumerate(line.days)
    )
    label = f"{escape(line.name)}: uptime of each of the last {len(line.days)} days"
    return f'<svg viewBox="0 0 {width} {HEIGHT}" role="img" aria-label="{label}">{bars}</svg>'


def _troubles(troubles: tuple[Trouble, ...]) -> Iterator[str]:
    if not troubles:
        yield "<p>No incidents.</p>"
        return
    yield '<ul class="troubles">'
    for one in troubles:
        until = f"until {_time(one.ended)}" if one.ended else "<b>it goes on</b>"
        yield f"<li><b>{escape(one.name)}</b> was down from {_time(one.began)}, {until}</li>"
    yield "</ul>"


def _worst(page: Page) -> str:
    statuses = {line.status for line in page.lines if not line.is_planned}
    order = (Status.UNHEALTHY, Status.DEGRADED, Status.UNKNOWN)
    return next((status.lower() for status in order if status in statuses), "healthy")


def _kind(percent: float | None) -> str:
    if percent is None:
        return "unknown"
    if percent >= 99.5:
        return "healthy"
    return "degraded" if percent >= 95 else "unhealthy"


def _percent(percent: float | None) -> str:
    return "nothing known" if percent is None else uptime_text(percent)


def _time(at: datetime) -> str:
    return f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}">{at:%Y-%m-%d %H:%M}</time>'
