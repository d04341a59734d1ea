"""Words, colours and links that the formats share."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from fks_master.alerts.notice import Cause, Notice, Severity, moment_of
from fks_master.alerts.notify.message import Receiver

MOST_SHOWN = 20
COLOURS = {Severity.CRITICAL: 0xD92D20, Severity.WARNING: 0xDC6803, Severity.INFO: 0x079455}
MOST_NAMED = 3  # in the title of many
MOST_LISTED = 10  # of what a service takes down
FEW = 5  # how many are told with all their details where there is little room
_CAUSES = {Cause.REPEAT: "still", Cause.ESCALATION: "not acknowledged", Cause.TEST: "test"}
_BLANKS = re.compile(r"\s+")


def colour(notice: Notice) -> int:
    return COLOURS[notice.severity if notice.is_firing else Severity.INFO]


def mark(notice: Notice) -> str:
    if not notice.is_firing:
        return "🟢"
    return {Severity.CRITICAL: "🔴", Severity.WARNING: "🟠"}.get(notice.severity, "🔵")


def line(notice: Notice) -> str:
    """Say in one line what it is; a reminder, and an end, say for how long it has been so."""
    words, cause = _BLANKS.sub(" ", notice.message).strip(), _CAUSES.get(notice.cause)
    lasted = _lasted(notice) if cause or not notice.is_firing else None
    after = f" after {lasted}" if lasted else ""
    return f"{cause}{after}: {words}" if cause else f"{words}{after}"


def title(notices: Sequence[Notice]) -> str:
    """Say in one line what many are about, the gravest by name: it may be all that a locked screen shows."""
    if len(notices) == 1:
        return line(notices[0])
    firing, over = [one for one in notices if one.is_firing], [one for one in notices if not one.is_firing]
    named = ((firing, "alert" if len(firing) == 1 else "alerts"), (over, "resolved"))
    return "; ".join(f"{len(some)} {word}: {_names(some)}" for some, word in named if some)


def _names(notices: Sequence[Notice]) -> str:
    names = list(dict.fromkeys(one.service_name or one.service_id or "monitor" for one in shown(notices, len(notices))))
    more = len(names) - MOST_NAMED
    named = ", ".join(_BLANKS.sub(" ", name) for name in names[:MOST_NAMED])
    return f"{named} and {more} more" if more > 0 else named


def gravest(notices: Sequence[Notice]) -> Notice:
    return min(notices, key=lambda notice: (notice.severity.rank, notice.timestamp))


def shown(notices: Sequence[Notice], most: int = MOST_SHOWN) -> list[Notice]:
    """Give what fits into one message, the gravest first."""
    return sorted(notices, key=lambda notice: (not notice.is_firing, notice.severity.rank))[:most]


def rest(notices: Sequence[Notice], most: int = MOST_SHOWN) -> str | None:
    left = len(notices) - most
    return f"and {left} more" if left > 0 else None


def details(notice: Notice) -> list[tuple[str, str]]:
    """Name what helps to act, and is not said already."""
    data, said = notice.data, notice.message
    service, error = notice.service_id or "", _words(data.get("error") or data.get("reason"))
    takes = data.get("takes_down")
    pairs = [
        ("service", service if service not in said else ""),
        ("cause", error if error not in said else ""),
        ("since" if notice.is_firing else "down", _since(notice)),
        ("threshold", f"{data['threshold_ms']:g} ms" if isinstance(data.get("threshold_ms"), int | float) else ""),
        ("takes down", _listed(takes) if isinstance(takes, list) else ""),
    ]
    return [(name, value) for name, value in pairs if value]


def _since(notice: Notice) -> str:
    """Say since when it is so, or was, and how long that is."""
    began, lasted = _began(notice), _lasted(notice)
    moment = f"{began.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if began else ""
    if notice.is_firing:
        return f"{moment}, for {lasted}" if lasted else moment
    return f"for {lasted}, since {moment}" if lasted else ""


def _began(notice: Notice) -> datetime | None:
    return moment_of(notice.data.get("since" if notice.is_firing else "down_since"))


def _lasted(notice: Notice) -> str | None:
    began = _began(notice)
    return duration((notice.timestamp - began).total_seconds()) if began and began < notice.timestamp else None


def duration(seconds: float) -> str:
    """Write "45 s", "12 min", "3 h 20 min" or "5 d 3 h"."""
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if minutes < 2:
        return f"{seconds:.0f} s"
    if hours < 1:
        return f"{minutes} min"
    if days < 1:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"


def _listed(names: Sequence[object]) -> str:
    more = len(names) - MOST_LISTED
    return ", ".join(map(str, names[:MOST_LISTED])) + (f" and {more} more" if more > 0 else "")


def link(receiver: Receiver, notice: Notice) -> str | None:
    """Return where our own pages show it: its incident, where it has one."""
    if not receiver.dashboard:
        return None
    incident, service = notice.data.get("incident_id"), notice.service_id
    kind, name = ("incident", str(incident)) if incident else ("service", service)
    place = f"{kind}/{quote(name, safe='')}" if name else "alerts"
    return f"{receiver.dashboard.rstrip('/')}/#{place}"


def plain(notices: Sequence[Notice], most: int = MOST_SHOWN) -> str:
    """Write everything as text: a line a notice, the details of a few below."""
    is_short = len(notices) > FEW
    parts = [_short(notice) if is_short else _paragraph(notice) for notice in shown(notices, most)]
    return ("\n" if is_short else "\n\n").join([*parts, *filter(None, [rest(notices, most)])])


def _paragraph(notice: Notice) -> str:
    return "\n".join([f"{mark(notice)} {line(notice)}", *(f"{name}: {value}" for name, value in details(notice))])


def _short(notice: Notice) -> str:
    """Write one of many: a line, and since when if that is not the moment itself."""
    began = _began(notice)
    since = f" (since {began.astimezone(UTC):%H:%M} UTC)" if began and notice.is_firing else ""
    return f"{mark(notice)} {line(notice)}{since}"


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def fitting(words: str, most: int, escape: Callable[[str], str]) -> str:
    """Escape as much as fits: what is cut after it was escaped may be cut in two where it must not be."""
    whole, left, found = escape(words), most - 1, list[str]()
    if len(whole) <= most:
        return whole
    for one in words:
        left -= len(piece := escape(one))
        if left < 0:
            break
        found.append(piece)
    return f"{''.join(found)}…"


def within(parts: Sequence[str], most: int, more: str = "and {} more") -> Iterator[str]:
    """Give as many parts as fit into `most` characters with two line ends between, and say how many do not."""
    left = most - len(more) - 10
    for index, part in enumerate(parts):
        if len(part) + 2 > left and index:
            yield more.format(len(parts) - index)
            return
        yield part[:left]
        left -= len(part) + 2


def _words(value: object) -> str:
    return _BLANKS.sub(" ", str(value)).strip() if value else ""
