"""Alert rules for Prometheus: general ones, or fitted to a configuration's services and thresholds."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from fks_master.config import Config
from fks_master.exports.promql import among
from fks_master.model import Service

Rule = dict[str, Any]

HEAD = "# Alerts on what FKS Master measures, for those who alert from Prometheus.\n"
HIGHEST_BUCKET_SECONDS = 10.0
DAY = 86400
STALLED_SECONDS = 3600
LATE_SECONDS = 1
BURNING = {
    "critical": ((14.4, "1h", "5m"), (6, "6h", "30m")),
    "warning": ((3, "1d", "2h"), (1, "3d", "6h")),
}
DEFAULT_LATENCY_SECONDS = 2.5
DEFAULT_WARN_DAYS = 14.0


def write(config: Config | None) -> str:
    """Write the rules file; None: one for whatever services there are."""
    rules = [_absent(), _stalled(config), *(_general() if config is None else _fitted(config)), *_always()]
    document = {"groups": [{"name": "fks_master", "rules": rules}]}
    text: str = yaml.safe_dump(document, sort_keys=False, width=110, allow_unicode=True)
    return HEAD + text


def _rule(name: str, expression: str, severity: str, summary: str, lasting: str | None = None) -> Rule:
    rule: Rule = {"alert": name, "expr": expression}
    if lasting:
        rule["for"] = lasting
    return rule | {"labels": {"severity": severity}, "annotations": {"summary": summary}}


def _absent() -> Rule:
    summary = "FKS Master itself is not seen by Prometheus"
    return _rule("FksMonitorAbsent", "absent(fks_monitor_uptime_seconds_total)", "critical", summary, "2m")


def _stalled(config: Config | None) -> Rule:
    """Look back long enough for the service that is asked most often to be asked a few times."""
    asked = [one for one in config.services if not reports(one)] if config else []
    shortest = min((one.interval_seconds for one in asked), default=DAY) if config else STALLED_SECONDS / 3
    window = f"{max(600, round(3 * shortest))}s"
    expression = f"sum(rate(fks_health_checks_total[{window}])) == 0 and count(fks_service_health_status) > 0"
    return _rule("FksChecksStalled", expression, "critical", "FKS Master runs, but checks nothing", "5m")


def _general() -> Iterator[Rule]:
    yield _down('critical="true"', "1m", is_critical=True)
    yield _down('critical="false"', "5m", is_critical=False)
    yield _slow(DEFAULT_LATENCY_SECONDS)
    yield _certificate("", DEFAULT_WARN_DAYS)


def _fitted(config: Config) -> Iterator[Rule]:
    """Down means here what it means to the monitor: failures in a row, at each service's own interval."""
    threshold = config.alerts.consecutive_failures_threshold
    for (is_critical, lasting), ids in _grouped((_key(one, threshold), one.id) for one in config.services):
        rule = _down(among(ids), lasting, is_critical=is_critical)
        yield rule | {"labels": rule["labels"] | {"after": lasting}}
    if critical := [one.id for one in config.services if one.critical]:
        yield _unwatched(critical)
    yield _slow(config.alerts.high_latency_threshold_ms / 1000)
    certified = (one for one in config.services if one.health_endpoint.startswith(("https:", "tls:")))
    for days, ids in _grouped((one.tls.warn_days, one.id) for one in certified):
        yield _certificate(among(ids), days)


def _key(service: Service, threshold: int) -> tuple[bool, str]:
    """Whether it is critical, and how long it must be unhealthy; what reports by itself counts at once."""
    seconds = 0 if reports(service) else max(1, round((threshold - 1) * service.interval_seconds))
    return service.critical, f"{seconds}s"


def reports(service: Service) -> bool:
    return service.health_endpoint.startswith("heartbeat:")


def _grouped(pairs: Iterable[tuple[Any, str]]) -> list[tuple[Any, list[str]]]:
    found: dict[Any, list[str]] = defaultdict(list)
    for key, id_ in pairs:
        found[key].append(id_)
    return list(found.items())


def _down(selector: str, lasting: str, *, is_critical: bool) -> Rule:
    name, severity = ("FksCriticalServiceDown", "critical") if is_critical else ("FksServiceDown", "warning")
    summary = "{{ $labels.service_name }} is unhealthy" + (", and critical" if is_critical else "")
    return _rule(name, f"fks_service_health_status{{{selector}}} == 3", severity, summary, lasting)


def _unwatched(ids: Iterable[str]) -> Rule:
    absent = " or ".join(f'absent(fks_service_health_status{{service_id="{each}"}})' for each in ids)
    summary = "{{ $labels.service_id }} is critical, and no longer watched"
    expression = f"({absent}) and on() fks_monitor_uptime_seconds_total"
    return _rule("FksServiceUnwatched", expression, "warning", summary, "10m")


def _slow(seconds: float) -> Rule:
    """Nothing is told apart above the highest bucket, so a threshold beyond it means: at it."""
    bound = min(seconds, HIGHEST_BUCKET_SECONDS)
    buckets = "rate(fks_service_response_time_seconds_bucket[10m])"
    quantile = f"histogram_quantile(0.95, sum by (service_id, service_name, le) ({buckets}))"
    summary = "{{ $labels.service_name }} answers slowly: 95 % within {{ $value | humanizeDuration }}"
    return _rule("FksServiceSlow", f"{quantile} >= {bound:g}", "warning", summary, "10m")


def _certificate(selector: str, days: float) -> Rule:
    name = f"fks_service_certificate_expiry_timestamp_seconds{{{selector}}}".replace("{}", "")
    summary = "The certificate of {{ $labels.service_name }} ends in {{ $value | humanizeDuration }}"
    return _rule("FksCertificateExpires", f"{name} - time() < {days * DAY:.0f}", "warning", summary, "1h")


def _always() -> Iterator[Rule]:
    named = "{{ $labels.service_name }}"
    summary = f"{named} has been degraded for half an hour"
    yield _rule("FksServiceDegraded", "fks_service_health_status == 2", "info", summary, "30m")
    expression = 'increase(fks_service_restarts_total{success="false"}[15m]) > 0'
    yield _rule("FksServiceRestartsFail", expression, "warning", f"A restart of {named} failed")
    yield from _budgets()
    summary = "Nobody can be told by {{ $labels.receiver }}: the receiver does not take notifications"
    yield _rule("FksReceiverFails", "fks_notifications_failing == 1", "warning", summary, "10m")
    summary = "An alert is open that nobody was told of, because no receiver takes it"
    yield _rule("FksAlertUntold", "fks_alerts_untold > 0", "warning", summary, "10m")
    late = "histogram_quantile(0.99, sum by (le) (rate(fks_monitor_check_lateness_seconds_bucket[10m])))"
    summary = "Checks begin late: one in a hundred by {{ $value | humanizeDuration }}"
    yield _rule("FksChecksLate", f"{late} > {LATE_SECONDS}", "warning", summary, "10m")
    summary = "The history cannot be written: what happens is kept in memory only"
    yield _rule("FksHistoryFails", "fks_history_failing == 1", "warning", summary, "5m")
    expression = "increase(fks_restart_unauthorized_total[10m]) + increase(fks_compose_unauthorized_total[10m]) > 20"
    yield _rule("FksUnauthorized", expression, "warning", "Somebody without the right credential tries to act")


def _budgets() -> Iterator[Rule]:
    """Burn rates over a long window, which says that it matters, and a short one, which says that it goes on."""
    for severity, paces in BURNING.items():
        expression = " or ".join(f"({_burns(*pace)})" for pace in paces)
        summary = "The error budget of {{ $labels.service_name }} burns at {{ $value | humanize }} times its pace"
        yield _rule("FksErrorBudgetBurns", expression, severity, summary)


def _burns(rate: float, *windows: str) -> str:
    each = (
        f'max by (service_id, service_name) (fks_slo_burn_rate{{window="{window}"}}) > {rate:g}' for window in windows
    )
    return " and ".join(each)
