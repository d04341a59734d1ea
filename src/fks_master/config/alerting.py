"""From `[alerts]` as written to what the alerter wants; and what must fit between its tables."""

from collections.abc import Iterator
from datetime import datetime, time

from fks_master.alerts.alerter import Options
from fks_master.alerts.notify import Receiver
from fks_master.alerts.routes import Route
from fks_master.alerts.rules import Rule
from fks_master.alerts.rules.rule import FIELDS
from fks_master.alerts.rules.slo import SEVERITIES
from fks_master.alerts.silences import Window
from fks_master.config import receivers
from fks_master.config.schema import Alerts, Config, MaintenanceEntry, RouteEntry, Weekday
from fks_master.config.walk import nearest, show

RESERVED = tuple(SEVERITIES)  # the names by which error budgets are told
_DAYS = list(Weekday)


def options_of(config: Config) -> Options:
    """Read the files that hold secrets, too: `find_mistakes` has seen that they can be read."""
    alerts = config.alerts
    known = receivers.of(alerts) if alerts.enable_notifications else ()
    windows = tuple(_window(entry) for entry in alerts.maintenance)
    return Options(
        receivers=known,
        routes=_routes(alerts, known),
        windows=windows,
        rules=alerts.rules,
        policy=config.policy,
    )


def find_mistakes(alerts: Alerts) -> Iterator[str]:
    """Look at a section that has the right shape."""
    seen: set[str] = {receivers.WEBHOOK} if alerts.webhook_url else set()
    if alerts.heartbeat_url and alerts.heartbeat_url_file:
        yield "alerts: expected only one of heartbeat_url and heartbeat_url_file"
    yield from receivers.file_mistakes("alerts", alerts, "heartbeat_url_file")
    for index, entry in enumerate(alerts.receivers):
        path = f"alerts.receivers[{index}]"
        if entry.name in seen:
            yield f"{path}.name: found {show(entry.name)}, which another receiver has already"
        seen.add(entry.name)
        yield from receivers.find_mistakes(path, entry)
    for index, route in enumerate(alerts.routes):
        yield from _route_mistakes(f"alerts.routes[{index}]", route, seen)
    for index, window in enumerate(alerts.maintenance):
        is_once, recurs = window.begins and window.ends, window.from_time and window.to_time
        if bool(is_once) == bool(recurs):
            yield f"alerts.maintenance[{index}]: expected either begins and ends, or from and to"
    titles = set(RESERVED)
    for index, rule in enumerate(alerts.rules):
        yield from _rule_mistakes(f"alerts.rules[{index}]", rule, titles)
        titles.add(rule.title)


def _rule_mistakes(path: str, rule: Rule, taken: set[str]) -> Iterator[str]:
    for name in rule.unfit_options:
        fitting = ", ".join(FIELDS[rule.kind])
        yield f"{path}.{name}: means nothing for a rule of kind {rule.kind}, which knows {fitting}"
    if rule.title in taken:
        yield f"{path}.name: found {show(rule.title)}, which another rule has already"


def _route_mistakes(path: str, route: RouteEntry, known: set[str]) -> Iterator[str]:
    for name in ("receivers", "escalate_to"):
        for each in getattr(route, name):
            if each not in known:
                near = nearest(each, sorted(known))
                yield f"{path}.{name}: found {show(each)}, expected the name of a receiver{near}"


def _routes(alerts: Alerts, told: tuple[Receiver, ...]) -> tuple[Route, ...]:
    """Turn the tables into routes; without any, everything goes to everybody."""
    known = {receiver.name for receiver in told}
    if not alerts.routes:
        return (Route(tuple(receiver.name for receiver in told)),)
    return tuple(
        Route(
            receivers=tuple(name for name in entry.receivers if name in known),
            severities=tuple(each.value for each in entry.severities),
            services=entry.services,
            event_types=tuple(each.value for each in entry.event_types),
            labels=entry.labels,
            where=entry.where,
            repeat_seconds=entry.repeat_seconds,
            escalate_to=tuple(name for name in entry.escalate_to if name in known),
            escalate_after_seconds=entry.escalate_after_seconds,
        )
        for entry in alerts.routes
    )


def _window(entry: MaintenanceEntry) -> Window:
    return Window(
        name=entry.name,
        services=entry.services,
        begins=datetime.fromisoformat(entry.begins) if entry.begins else None,
        ends=datetime.fromisoformat(entry.ends) if entry.ends else None,
        from_time=time.fromisoformat(entry.from_time) if entry.from_time else None,
        to_time=time.fromisoformat(entry.to_time) if entry.to_time else None,
        weekdays=tuple(_DAYS.index(day) for day in entry.weekdays),
        zone=entry.zone,
    )
