"""Three dashboards for Grafana: the fleet, one service, the monitor itself."""

import re
from collections.abc import Callable, Iterator
from enum import StrEnum

import msgspec

from fks_master.config import Config
from fks_master.exports import panels
from fks_master.exports.panels import AMBER, GREEN, RED, Json, steps
from fks_master.exports.promql import among
from fks_master.model import Service

RATE = "$__rate_interval"
STATUS = "fks_service_health_status"
RESPONSE = "fks_service_response_time_seconds_bucket"
EXPIRY = "fks_service_certificate_expiry_timestamp_seconds"
USUAL = 11
BUDGET = steps((None, RED), (0.1, AMBER), (0.5, GREEN))


class Dashboard(StrEnum):
    """Which one."""

    FLEET = "fleet"
    SERVICE = "service"
    MONITOR = "monitor"


def write(dashboard: Dashboard, config: Config | None) -> str:
    """Write one as JSON; None: for whatever services there are."""
    made = _MAKERS[dashboard](config)
    return msgspec.json.format(msgspec.json.encode(made), indent=2).decode() + "\n"


def _frame(dashboard: Dashboard, title: str, parts: Iterator[Json], variables: list[Json]) -> Json:
    source = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "current": {}}
    others = {"type": "dashboards", "title": "FKS Master", "tags": ["fks_master"], "asDropdown": True}
    return {
        "uid": f"fks-master-{dashboard}",
        "title": title,
        "tags": ["fks_master"],
        "schemaVersion": 39,
        "editable": True,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "links": [{**others, "includeVars": False, "keepTime": True, "targetBlank": False, "tooltip": "", "icon": ""}],
        "templating": {"list": [source, *variables]},
        "annotations": {"list": []},
        "panels": panels.layout(parts),
    }


def _fleet(config: Config | None) -> Json:
    return _frame(Dashboard.FLEET, "FKS Master: fleet", _fleet_parts(config), [])


def _fleet_parts(config: Config | None) -> Iterator[Json]:
    yield panels.stat("Services", f"count({STATUS})")
    yield _counted("Healthy", 1, steps((None, GREEN)))
    yield _counted("Degraded", 2, steps((None, GREEN), (1, AMBER)))
    yield _counted("Unhealthy", 3, steps((None, GREEN), (1, RED)))
    yield _counted("Unknown", 0, steps((None, GREEN), (1, panels.GREY)))
    critical = f'count({STATUS}{{critical="true"}} == 3) or vector(0)'
    yield panels.stat("Critical and unhealthy", critical, colours=steps((None, GREEN), (1, RED)))
    yield from _status_rows(config)
    limit = config.alerts.high_latency_threshold_ms / 1000 if config else None
    slow = f"histogram_quantile(0.95, sum by (service_name, le) (rate({RESPONSE}[{RATE}])))"
    yield panels.lines("Response time, 95 % within", [(slow, "{{service_name}}")], "s", limit=limit)
    yield panels.lines("Failed checks a minute", [("fks_service_error_rate", "{{service_name}}")])
    share = f"avg_over_time(({STATUS} != bool 3)[$__range:$__interval])"
    colours = steps((None, RED), (0.99, AMBER), (0.999, GREEN))
    yield panels.bars("Share of the time not unhealthy", share, "percentunit", colours)
    yield _certificates(f"{EXPIRY} - time()")
    yield panels.bars("Error budget left", "fks_slo_error_budget_remaining_ratio", "percentunit", BUDGET)
    yield panels.lines("Burn rate over an hour", [('fks_slo_burn_rate{window="1h"}', "{{service_name}}")])
    yield panels.lines("Open alerts", [("sum by (severity, state) (fks_alerts_active)", "{{severity}}, {{state}}")])
    restarts = "sum by (service_name, success) (increase(fks_service_restarts_total[$__rate_interval]))"
    yield panels.lines("Restarts", [(restarts, "{{service_name}}, success: {{success}}")])


def _counted(title: str, status: int, colours: Json) -> Json:
    return panels.stat(title, f"count({STATUS} == {status}) or vector(0)", colours=colours)


def _status_rows(config: Config | None) -> Iterator[Json]:
    """Show all services, or those of each group of the configuration, in its order."""
    if config is None:
        yield panels.statuses("Status", STATUS, USUAL)
        return
    groups: dict[str, list[Service]] = {}
    for service in config.services:
        groups.setdefault(service.group or "", []).append(service)
    for name, members in groups.items():
        expression = f"{STATUS}{{{among(one.id for one in members)}}}"
        yield panels.statuses(f"Status: {name}" if name else "Status", expression, len(members))


def _certificates(expression: str, width: int = 12) -> Json:
    colours = steps((None, RED), (7 * 86400, AMBER), (21 * 86400, GREEN))
    return panels.bars("Certificates: time left", expression, "s", colours, width)


def _service(config: Config | None) -> Json:
    variable: Json = {"name": "service", "label": "Service", "includeAll": False, "multi": False}
    if config is None:
        query = f"label_values({STATUS}, service_id)"
        ask = {"query": query, "refId": "services"}
        variable |= {"type": "query", "datasource": panels.DATASOURCE, "query": ask, "definition": query}
        variable |= {"refresh": 2, "sort": 1}
    else:
        known = ", ".join(f"{_plain(one.name)} : {one.id}" for one in config.services)
        first = config.services[0] if config.services else None
        current = {"text": _plain(first.name), "value": first.id} if first else {}
        variable |= {"type": "custom", "query": known, "current": current}
    limit = config.alerts.high_latency_threshold_ms / 1000 if config else None
    return _frame(Dashboard.SERVICE, "FKS Master: one service", _service_parts(limit), [variable])


def _plain(name: str) -> str:
    """Take out what divides the entries of such a list in Grafana."""
    return re.sub(r"\s*[,:]\s*", " ", name)


def _service_parts(limit: float | None) -> Iterator[Json]:
    only = '{service_id="$service"}'
    yield panels.statuses("Status", STATUS + only, 1)
    buckets = f"sum by (le) (rate({RESPONSE}{only}[{RATE}]))"
    quantiles = [(f"histogram_quantile({share}, {buckets})", f"{share:.0%} within") for share in (0.5, 0.95, 0.99)]
    yield panels.lines("Response time", quantiles, "s", limit=limit)
    yield panels.heatmap("Response times", f"sum by (le) (increase({RESPONSE}{only}[{RATE}]))")
    checks = f"sum by (status) (rate(fks_health_checks_total{only}[{RATE}])) * 60"
    yield panels.lines("Checks a minute", [(checks, "{{status}}")])
    yield panels.lines("Failed checks a minute, over five minutes", [(f"fks_service_error_rate{only}", "failures")])
    objective = [
        (f'fks_slo_burn_rate{{service_id="$service",window="{window}"}}', f"over {window}")
        for window in ("1h", "6h", "1d")
    ]
    yield panels.lines("Burn rate of the error budget", objective)
    yield panels.bars("Error budget left", f"fks_slo_error_budget_remaining_ratio{only}", "percentunit", BUDGET)
    yield panels.lines("Processor (100 is one core)", [(f"fks_service_cpu_usage_percent{only}", "cpu")], "percent", 8)
    memory = f"fks_service_memory_usage_megabytes{only} * 1024 * 1024"
    yield panels.lines("Memory", [(memory, "memory")], "bytes", 8)
    yield panels.lines("Network", _both(f"network_in_bytes{only}", f"network_out_bytes{only}"), "Bps", 8)
    yield panels.lines("Disks", _both(f"block_read_bytes{only}", f"block_write_bytes{only}"), "Bps", 8)
    restarts = f"sum by (success) (increase(fks_service_restarts_total{only}[{RATE}]))"
    yield panels.lines("Restarts", [(restarts, "success: {{success}}")], width=8)
    yield _certificates(f"{EXPIRY}{only} - time()", 8)


def _both(come: str, go: str) -> list[panels.Query]:
    """Take the difference of two figures that grow from the container's start."""
    names = [(each, each.partition("{")[0].removesuffix("_bytes").partition("_")[2]) for each in (come, go)]
    return [(f"rate(fks_service_{each}[{RATE}])", name) for each, name in names]


def _monitor(config: Config | None) -> Json:
    del config
    return _frame(Dashboard.MONITOR, "FKS Master: the monitor itself", _monitor_parts(), [])


def _monitor_parts() -> Iterator[Json]:
    yield panels.stat("Up for", "fks_monitor_uptime_seconds_total", unit="s")
    yield panels.stat("Checks a second", f"sum(rate(fks_health_checks_total[{RATE}]))", unit="cps")
    yield panels.stat("Open live feeds", "fks_websocket_connections_active")
    pending = "sum(fks_notifications_pending) or vector(0)"
    yield panels.stat("Notifications that wait", pending, colours=steps((None, GREEN), (1, AMBER)))
    failing = "sum(fks_notifications_failing) or vector(0)"
    yield panels.stat("Receivers that fail", failing, colours=steps((None, GREEN), (1, RED)))
    yield panels.stat("History fails", "fks_history_failing", colours=steps((None, GREEN), (1, RED)))
    status = f"sum by (status) (rate(fks_health_checks_total[{RATE}]))"
    yield panels.lines("Checks a second, by outcome", [(status, "{{status}}")], "cps")
    late = f"sum by (le) (rate(fks_monitor_check_lateness_seconds_bucket[{RATE}]))"
    shares = [(f"histogram_quantile({share}, {late})", f"{share:.0%} within") for share in (0.5, 0.99)]
    yield panels.lines("How late checks begin", shares, "s")
    sent = f"sum by (receiver, result) (increase(fks_notifications_total[{RATE}]))"
    tries = f"sum by (receiver) (increase(fks_notifications_tries_total[{RATE}]))"
    yield panels.lines("Notifications", [(sent, "{{receiver}}, {{result}}"), (tries, "{{receiver}}, tries")])
    opened = f"sum by (event_type, severity) (increase(fks_alerts_opened_total[{RATE}]))"
    held = f"sum by (stage) (increase(fks_alerts_suppressed_total[{RATE}]))"
    yield panels.lines("Alerts that began", [(opened, "{{event_type}}, {{severity}}")])
    yield panels.lines("Alerts that were held back", [(held, "{{stage}}")])
    waiting = [("fks_history_changes_waiting", "changes that wait"), ("fks_alerts_silences", "silences")]
    yield panels.lines("History and silences", waiting)
    dropped = f"increase(fks_history_results_dropped_total[{RATE}])"
    refused = f"increase(fks_history_changes_refused_total[{RATE}])"
    yield panels.lines("History lost", [(dropped, "results dropped"), (refused, "changes refused")])
    requests = f"sum by (method, path) (rate(fks_http_requests_total[{RATE}]))"
    yield panels.lines("Requests a second", [(requests, "{{method}} {{path}}")], "reqps")
    buckets = f"sum by (path, le) (rate(fks_http_request_duration_seconds_bucket[{RATE}]))"
    yield panels.lines("Answers, 95 % within", [(f"histogram_quantile(0.95, {buckets})", "{{path}}")], "s")
    errors = f'sum by (path, status) (rate(fks_http_requests_total{{status=~"4..|5.."}}[{RATE}]))'
    yield panels.lines("Refused and failed requests a second", [(errors, "{{status}} {{path}}")], "reqps")
    unauthorized = [
        (f"increase(fks_restart_unauthorized_total[{RATE}])", "restart"),
        (f"increase(fks_compose_unauthorized_total[{RATE}])", "compose"),
    ]
    yield panels.lines("Attempts without the right credential", unauthorized)
    actions = f"sum by (action, success) (increase(fks_compose_actions_total[{RATE}]))"
    yield panels.lines("Compose actions", [(actions, "{{action}}, success: {{success}}")])
    took = f"sum by (action, le) (rate(fks_compose_action_duration_seconds_bucket[{RATE}]))"
    yield panels.lines("Compose actions, 95 % within", [(f"histogram_quantile(0.95, {took})", "{{action}}")], "s")


_MAKERS: dict[Dashboard, Callable[[Config | None], Json]] = {
    Dashboard.FLEET: _fleet,
    Dashboard.SERVICE: _service,
    Dashboard.MONITOR: _monitor,
}
