"""Silences and maintenance windows: what is muted, until when, by whom."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

import msgspec

from fks_master.alerts.matchers import fits_all


class Silence(msgspec.Struct, frozen=True):
    """Mutes alerts of which every label named in `matchers` fits its pattern (`*` and `?`), while it lasts.

    `where` holds further conditions, such as `severity!=critical`; they must hold, too.
    """

    id: str
    matchers: dict[str, str]
    begins: datetime
    ends: datetime
    author: str = ""
    comment: str = ""
    where: tuple[str, ...] = ()

    def mutes(self, labels: Mapping[str, str], now: datetime) -> bool:
        return self.begins <= now < self.ends and fits(self.matchers, labels) and fits_all(self.where, labels)


def fits(matchers: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return all(fnmatchcase(labels.get(name, ""), pattern) for name, pattern in matchers.items())


class Window(msgspec.Struct, frozen=True):
    """A planned silence of some services (all, if none is named).

    One-off: `begins` and `ends`; one that was planned over the API has an `id`. Recurring: `from_time` and `to_time` on
    `weekdays` (0 is Monday; none means every day) in `zone`; one that ends before it begins goes over midnight and
    belongs to the day on which it begins.
    """

    name: str
    services: tuple[str, ...] = ()
    begins: datetime | None = None
    ends: datetime | None = None
    from_time: time | None = None
    to_time: time | None = None
    weekdays: tuple[int, ...] = ()
    zone: str = "UTC"
    id: str = ""
    author: str = ""

    def covers(self, service_id: str | None, now: datetime) -> bool:
        if self.services and service_id not in self.services:
            return False
        if self.begins is not None and self.ends is not None:
            return self.begins <= now < self.ends
        return self._recurs_at(now)

    def is_active(self, now: datetime) -> bool:
        return self.covers(self.services[0] if self.services else None, now)

    def _recurs_at(self, now: datetime) -> bool:
        today = now.astimezone(ZoneInfo(self.zone)).date()
        return any(self._covers_on(day, now) for day in (today - timedelta(1), today))

    def _covers_on(self, day: date, now: datetime) -> bool:
        if self.from_time is None or self.to_time is None or (self.weekdays and day.weekday() not in self.weekdays):
            return False
        last = day if self.to_time > self.from_time else day + timedelta(1)
        zone = ZoneInfo(self.zone)
        begins = datetime.combine(day, self.from_time, zone)
        return begins <= now < datetime.combine(last, self.to_time, zone)
