"""Words and colours that the chat formats share."""

from collections.abc import Sequence

from fks_master.alerts.notice import Cause, Notice, Severity

MOST_SHOWN = 20
COLOURS = {Severity.CRITICAL: 0xD92D20, Severity.WARNING: 0xDC6803, Severity.INFO: 0x079455}
_CAUSES = {Cause.REPEAT: "still: ", Cause.ESCALATION: "not acknowledged: ", Cause.TEST: "test: "}


def colour(notice: Notice) -> int:
    return COLOURS[notice.severity if notice.is_firing else Severity.INFO]


def mark(notice: Notice) -> str:
    if not notice.is_firing:
        return "🟢"
    return "🔴" if notice.severity is Severity.CRITICAL else "🟠"


def line(notice: Notice) -> str:
    return f"{_CAUSES.get(notice.cause, '')}{notice.message}"


def title(notices: Sequence[Notice]) -> str:
    if len(notices) == 1:
        return line(notices[0])
    firing = sum(notice.is_firing for notice in notices)
    return f"{firing} alerts, {len(notices) - firing} resolved"


def shown(notices: Sequence[Notice]) -> list[Notice]:
    """Give what fits into one message, the gravest first."""
    return sorted(notices, key=lambda notice: (not notice.is_firing, notice.severity.rank))[:MOST_SHOWN]


def rest(notices: Sequence[Notice]) -> str | None:
    left = len(notices) - MOST_SHOWN
    return f"and {left} more" if left > 0 else None


def details(notice: Notice) -> list[tuple[str, str]]:
    """Name what helps to act."""
    wanted = ("reason", "error", "since", "response_time_ms", "takes_down")
    pairs = [(name.replace("_", " "), notice.data.get(name)) for name in wanted]
    known = [(name, _words(value)) for name, value in pairs if value]
    return [("service", notice.service_id), *known] if notice.service_id else known


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
