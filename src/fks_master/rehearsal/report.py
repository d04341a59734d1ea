"""The report: what would be told when, beside what was expected."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from fks_master.alerts.notice import Alert, Cause
from fks_master.rehearsal.script import Expected, parse_duration
from fks_master.rehearsal.stage import Told

TOLERANCE_SECONDS = 1.5  # a tick, and a bit


class Line(msgspec.Struct, frozen=True):
    """One line: `-` is missing, `+` was not expected."""

    mark: str
    seconds: float
    text: str

    def __str__(self) -> str:
        return f"{self.mark} {self.text}"


class Report(msgspec.Struct, frozen=True):
    """All lines, in the order of time."""

    lines: tuple[Line, ...]

    @property
    def is_good(self) -> bool:
        return all(line.mark == " " for line in self.lines)


def compare(told: Sequence[Told], expected: Sequence[Expected] | None, start: datetime | None = None) -> Report:
    """Match each expected notification with the first that fits; without expectations, all is well.

    With a `start`, moments are written as those of the wall clock.
    """
    if expected is None:
        return Report(tuple(Line(" ", one.seconds, describe(one, start)) for one in told))
    left = list(told)
    lines = []
    for wanted in expected:
        found = next((one for one in left if _fits(wanted, one)), None)
        if found is None:
            lines.append(Line("-", _moment(wanted) or 0.0, _wanted(wanted)))
        else:
            left.remove(found)
            lines.append(Line(" ", found.seconds, describe(found)))
    lines += [Line("+", one.seconds, describe(one)) for one in left]
    return Report(tuple(sorted(lines, key=lambda line: line.seconds)))


def still_open(alerts: Sequence[Alert]) -> Iterator[str]:
    """Say what is open at the end, and why nobody knows of it."""
    for alert in alerts:
        why = f": {alert.muted}" if alert.muted else ""
        yield f"{alert.key} {alert.state}{why}"


def describe(one: Told, start: datetime | None = None) -> str:
    notice = one.notice
    at = f"{start + timedelta(seconds=one.seconds):%Y-%m-%d %H:%M:%S}" if start else _clock(one.seconds)
    cause = "" if notice.cause is Cause.NEWS else f" ({notice.cause})"
    over = "" if notice.is_firing or notice.event_type == "ServiceUp" else " over"
    who = f" {notice.service_id}" if notice.service_id else ""
    return f"{at}  {one.receiver}  {notice.event_type}{who}{over}{cause}  {notice.message}"


def _wanted(one: Expected) -> str:
    moment = _moment(one)
    parts = [_clock(moment) if moment is not None else "some time", one.to or "anybody"]
    what = " ".join(str(each) for each in (one.event, one.service, one.cause and f"({one.cause})") if each)
    parts.append(what or "anything")
    return "  ".join(parts + ([one.message] if one.message else []))


def _fits(wanted: Expected, one: Told) -> bool:
    notice, moment = one.notice, _moment(wanted)
    return (
        (moment is None or 0 <= one.seconds - moment <= TOLERANCE_SECONDS)
        and wanted.to in {None, one.receiver}
        and wanted.event in {None, notice.event_type}
        and wanted.service in {None, notice.service_id}
        and wanted.cause in {None, notice.cause}
        and wanted.firing in {None, notice.is_firing}
        and (wanted.message or "") in notice.message
    )


def _moment(wanted: Expected) -> float | None:
    return None if wanted.at is None else parse_duration(wanted.at).total_seconds()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours:d}:{minutes:02d}:{rest:06.3f}"
