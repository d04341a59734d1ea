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
    """Look back long enough for the service that is checked most often to be checked a few times."""
    shortest = min((one.interval_seconds for one in config.services), default=DAY) if config else STALLED_SECONDS / 3
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
        yield _down(among(ids), lasting, is_critical=is_critical)
    yield from (_unwatched(one.id) for one in config.services if one.critical)
    yield _slow(config.alerts.high_latency_threshold_ms / 1000)
    certified = (one for one in config.services if one.health_endpoint.startswith(("https:", "tls:")))
    for days, ids in _grouped((one.tls.warn_days, one.id) for one in certified):
        yield _certificate(among(ids), days)


def _key(service: Service, threshold: int) -> tuple[bool, str]:
    return service.critical, f"{max(1, round((threshold - 1) * service.interval_seconds))}s"


def _grouped(pairs: Iterable[tuple[Any, str]]) -> list[tuple[Any, list[str]]]:
    found: dict[Any, list[str]] = defaultdict(list)
    for key, id_ in pairs:
        found[key].append(id_)
    return list(found.items())


def _down(selector: str, lasting: str, *, is_critical: bool) -> Rule:
    name, severity = ("FksCriticalServiceDown", "critical") if is_critical else ("FksServiceDown", "warning")
    summary = "{{ $labels.service_name }} is unhealthy" + (", and critical" if is_critical else "")
    return _rule(name, f"fks_service_health_status{{{selector}}} == 3", severity, summary, lasting)


def _unwatched(id_: str) -> Rule:
    expression = f'absent(fks_service_health_status{{service_id="{id_}"}}) and on() fks_monitor_uptime_seconds_total'
    return _rule("FksServiceUnwatched", expression, "warning", f"{id_} is critical, and no longer watched", "10m")


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
    summary = "Nobody can be told by {{ $labels.receiver }}: the receiver does not take notifications"
    yield _rule("FksReceiverFails", "fks_notifications_failing == 1", "warning", summary, "10m")
    expression = "increase(fks_restart_unauthorized_total[10m]) + increase(fks_compose_unauthorized_total[10m]) > 20"
    yield _rule("FksUnauthorized", expression, "warning", "Somebody without the right credential tries to act")
