"""Words, colours and links that the formats share."""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from fks_master.alerts.notice import Cause, Notice, Severity
from fks_master.alerts.notify.message import Receiver

MOST_SHOWN = 20
COLOURS = {Severity.CRITICAL: 0xD92D20, Severity.WARNING: 0xDC6803, Severity.INFO: 0x079455}
_CAUSES = {Cause.REPEAT: "still: ", Cause.ESCALATION: "not acknowledged: ", Cause.TEST: "test: "}
_WANTED = ("reason", "error", "since", "response_time_ms", "takes_down")
_BLANKS = re.compile(r"\s+")


def colour(notice: Notice) -> int:
    return COLOURS[notice.severity if notice.is_firing else Severity.INFO]


def mark(notice: Notice) -> str:
    if not notice.is_firing:
        return "🟢"
    return {Severity.CRITICAL: "🔴", Severity.WARNING: "🟠"}.get(notice.severity, "🔵")


def line(notice: Notice) -> str:
    return f"{_CAUSES.get(notice.cause, '')}{_BLANKS.sub(' ', notice.message)}"


def title(notices: Sequence[Notice]) -> str:
    if len(notices) == 1:
        return line(notices[0])
    firing = sum(notice.is_firing for notice in notices)
    counts = ((firing, "alert" if firing == 1 else "alerts"), (len(notices) - firing, "resolved"))
    return ", ".join(f"{count} {word}" for count, word in counts if count)


def gravest(notices: Sequence[Notice]) -> Notice:
    return min(notices, key=lambda notice: (notice.severity.rank, notice.timestamp))


def shown(notices: Sequence[Notice], most: int = MOST_SHOWN) -> list[Notice]:
    """Give what fits into one message, the gravest first."""
    return sorted(notices, key=lambda notice: (not notice.is_firing, notice.severity.rank))[:most]


def rest(notices: Sequence[Notice], most: int = MOST_SHOWN) -> str | None:
    left = len(notices) - most
    return f"and {left} more" if left > 0 else None


def details(notice: Notice) -> list[tuple[str, str]]:
    """Name what helps to act."""
    pairs = [(name.replace("_", " "), notice.data.get(name)) for name in _WANTED]
    known = [(name, _words(value)) for name, value in pairs if value]
    return [("service", notice.service_id), *known] if notice.service_id else known


def link(receiver: Receiver, notice: Notice) -> str | None:
    """Return where our own pages show it."""
    if not receiver.dashboard:
        return None
    place = f"service/{quote(notice.service_id, safe='')}" if notice.service_id else "alerts"
    return f"{receiver.dashboard.rstrip('/')}/#{place}"


def plain(notices: Sequence[Notice], most: int = MOST_SHOWN) -> str:
    """Write everything as text: a line a notice, its details below."""
    return "\n\n".join([*(_paragraph(notice) for notice in shown(notices, most)), *filter(None, [rest(notices, most)])])


def _paragraph(notice: Notice) -> str:
    return "\n".join([f"{mark(notice)} {line(notice)}", *(f"{name}: {value}" for name, value in details(notice))])


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


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
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
