"""Every metric with its name, help and labels, and their rendering in Prometheus' text format 0.0.4.

The labels of a service are escaped once, when it is first watched. Source of the format:
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import accumulate, islice

from fks_master.docker.usage import Usage
from fks_master.model import Family, Outcome, Result, Service, State, Status

RESPONSE_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
COMPOSE_BUCKETS = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
RESTART_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
HTTP_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
LATENESS_BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ERROR_WINDOW_SECONDS = 300.0
AHEAD_SECONDS = 1.0
MOST_FAILURES = 10_000
SLICE = 250  # services whose lines are written in one go
USAGE = (
    ("fks_service_cpu_usage_percent", "cpu_percent", "Processor use of the container; 100 is one core."),
    ("fks_service_memory_usage_megabytes", "memory_mebibytes", "Memory of the container without cache, in MiB."),
    ("fks_service_network_in_bytes", "network_in_bytes", "Bytes that the container received since it started."),
    ("fks_service_network_out_bytes", "network_out_bytes", "Bytes that the container sent since it started."),
    ("fks_service_block_read_bytes", "block_read_bytes", "Bytes that the container read from disks."),
    ("fks_service_block_write_bytes", "block_write_bytes", "Bytes that the container wrote to disks."),
)
STATUS_NUMBER = {Status.UNKNOWN: 0, Status.HEALTHY: 1, Status.DEGRADED: 2, Status.UNHEALTHY: 3}


def escape(value: str) -> str:
    """Escape a label's value; lone surrogates, which no scraper can parse, become U+FFFD."""
    clean = value.encode("utf-8", "replace").decode() if value.isascii() else _without_surrogates(value)
    return clean.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _without_surrogates(value: str) -> str:
    return "".join("�" if "\ud800" <= character <= "\udfff" else character for character in value)


def labels(**values: str) -> str:
    return ",".join(f'{name}="{escape(value)}"' for name, value in values.items())


@cache
def _histogram_pattern(name: str, buckets: tuple[float, ...]) -> str:
    """Write a histogram with a hole for the labels and one for the value in every line."""
    lines = [f'{name}_bucket{{%s,le="{bound}"}} %d' for bound in (*buckets, "+Inf")]
    return "\n".join([*lines, f"{name}_sum{{%s}} %.9g", f"{name}_count{{%s}} %d"])


class Histogram:
    """Counts of seconds by bucket."""

    __slots__ = ("buckets", "counts", "total")

    def __init__(self, buckets: tuple[float, ...]) -> None:
        self.buckets = buckets
        self.counts = [0] * (len(buckets) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(self.buckets, seconds)] += 1
        self.total += seconds

    def text(self, name: str, label_text: str) -> str:
        """Write every line of it at once."""
        values: list[object] = []
        for cumulative in accumulate(self.counts):
            values += (label_text, cumulative)
        values += (label_text, self.total, label_text, values[-1])
        return _histogram_pattern(name, self.buckets) % tuple(values)


class ServiceMetrics:
    """One service's numbers."""

    __slots__ = (
        "certificate_expires", "failed_at", "failures", "full", "named", "response", "status", "successes", "typed",
        "usage",
    )  # fmt: skip

    def __init__(self, service: Service) -> None:
        named = labels(service_id=service.id, service_name=service.name)
        self.named = named
        self.typed = f"{named},{labels(service_type=service.service_type)}"
        self.full = f"{self.typed},{labels(critical=str(service.critical).lower())}"
        self.status = Status.UNKNOWN
        self.successes = 0
        self.failures = 0
        self.response = Histogram(RESPONSE_BUCKETS)
        self.certificate_expires: float | None = None
        self.usage: Usage | None = None
        self.failed_at: deque[float] | None = None  # most services never fail

    def error_rate(self, now: float) -> float:
        """Failures a minute over the last five minutes."""
        if self.failed_at is None:
            return 0.0
        # What lies ahead was noted before the clock was set back; nobody knows how long ago that was.
        while self.failed_at and not now - ERROR_WINDOW_SECONDS <= self.failed_at[0] <= now + AHEAD_SECONDS:
            self.failed_at.popleft()
        return len(self.failed_at) / (ERROR_WINDOW_SECONDS / 60)

    def fail(self, at: float) -> None:
        """Count a failure at this Unix time."""
        self.failures += 1
        if self.failed_at is None:
            self.failed_at = deque(maxlen=MOST_FAILURES)
        self.failed_at.append(at)


class Metrics:
    """The whole set. Plain attributes are counters and gauges without labels."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._services: dict[str, ServiceMetrics] = {}
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._durations: dict[tuple[str, str], Histogram] = {}
        self._compose: Counter[tuple[str, bool]] = Counter()
        self._compose_durations: dict[str, Histogram] = {}
        self.lateness = Histogram(LATENESS_BUCKETS)
        self.websocket_connections = 0
        self._sources: list[Callable[[], Iterable[Family]]] = []
        self.compose_unauthorized = 0
        self.restart_unauthorized = 0
        self._restarts: Counter[tuple[str, str]] = Counter()
        self._restart_durations: dict[str, Histogram] = {}

    @property
    def total_checks(self) -> int:
        return sum(one.successes + one.failures for one in self._services.values())

    @property
    def total_failures(self) -> int:
        return sum(one.failures for one in self._services.values())

    def watch(self, service: Service) -> None:
        known = self._services.get(service.id)
        fresh = ServiceMetrics(service)
        if known is None or known.full != fresh.full:
            self._services[service.id] = fresh

    def forget(self, service: Service) -> None:
        """Drop every series of a service: those that are found by label come and go, and series must not pile up."""
        self._services.pop(service.id, None)
        self._restart_durations.pop(service.id, None)
        named = labels(service_id=service.id, service_name=service.name)
        for success in ("true", "false"):
            self._restarts.pop((named, success), None)

    def record(self, service: Service, state: State, result: Result) -> None:
        one = self._services[service.id]
        one.status = state.status
        one.certificate_expires = result.certificate.expires.timestamp() if result.certificate else None
        if result.outcome is Outcome.SUCCESS:
            one.successes += 1
            one.response.observe(result.seconds)
        elif result.outcome is Outcome.FAILURE:
            one.fail(result.at.timestamp())

    def request(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count a request under its route's template, which keeps the set of series bounded."""
        self._requests[method, path, status] += 1
        self._durations.setdefault((method, path), Histogram(HTTP_BUCKETS)).observe(seconds)

    def compose(self, action: str, seconds: float, *, is_success: bool) -> None:
        """Count a Compose action that has ended."""
        self._compose[action, is_success] += 1
        self._compose_durations.setdefault(action, Histogram(COMPOSE_BUCKETS)).observe(seconds)

    def refuse_compose(self) -> None:
        self.compose_unauthorized += 1

    def refuse_restart(self) -> None:
        self.restart_unauthorized += 1

    def restart(self, service: Service, success: bool, seconds: float) -> None:  # noqa: FBT001 - a callback's shape
        named = labels(service_id=service.id, service_name=service.name)
        self._restarts[named, str(success).lower()] += 1
        self._restart_durations.setdefault(service.id, Histogram(RESTART_BUCKETS)).observe(seconds)

    def include(self, source: Callable[[], Iterable[Family]]) -> None:
        """Ask another part for its figures whenever somebody asks for all."""
        self._sources.append(source)

    def use(self, service_id: str, usage: Usage | None) -> None:
        """Note what a service's container uses, None where that is not known."""
        if service_id in self._services:
            self._services[service_id].usage = usage

    def usage(self, service_id: str) -> Usage | None:
        return self._services[service_id].usage

    def error_rate(self, service_id: str, now: float) -> float:
        return self._services[service_id].error_rate(now)

    def render(self, monotonic: float, now: float) -> bytes:
        """Text for a scraper; `monotonic` and `now` in seconds."""
        return b"".join(self.slices(monotonic, now))

    def slices(self, monotonic: float, now: float) -> Iterator[bytes]:
        """Give the same text in pieces, each written quickly enough that the loop can do something else in between."""
        for slice_ in self._service_slices(now):
            yield ("\n".join(slice_) + "\n").encode()
        lines = [*self._usage_lines(), *self._monitor_lines(monotonic)]
        lines += [line for source in self._sources for family in source() for line in _family_lines(family)]
        yield ("\n".join(lines) + "\n").encode()

    def _service_slices(self, now: float) -> Iterator[Iterable[str]]:
        """Write each family of the services, a few services at a time; one that is gone meanwhile is written still."""
        for name, kind, text, lines in self._families(now):
            yield _head(name, kind, text)
            services = iter(list(self._services.values()))
            while some := list(islice(services, SLICE)):
                if written := [line for one in some for line in lines(one)]:
                    yield written

    def _families(self, now: float) -> Iterable[tuple[str, str, str, Callable[[ServiceMetrics], tuple[str, ...]]]]:
        status, checks = "fks_service_health_status", "fks_health_checks_total"
        rate, response = "fks_service_error_rate", "fks_service_response_time_seconds"
        expiry = "fks_service_certificate_expiry_timestamp_seconds"

        def expires(one: ServiceMetrics) -> tuple[str, ...]:
            at = one.certificate_expires
            return () if at is None else (f"{expiry}{{{one.typed}}} {at:.0f}",)

        return (
            (
                status,
                "gauge",
                "0 unknown, 1 healthy, 2 degraded, 3 unhealthy.",
                lambda one: (f"{status}{{{one.full}}} {STATUS_NUMBER[one.status]}",),
            ),
            (
                checks,
                "counter",
                "Completed health checks by status.",
                lambda one: (
                    f'{checks}{{{one.named},status="success"}} {one.successes}',
                    f'{checks}{{{one.named},status="failure"}} {one.failures}',
                ),
            ),
            (
                rate,
                "gauge",
                "Failed checks a minute over the last five minutes.",
                lambda one: (f"{rate}{{{one.typed}}} {one.error_rate(now):.6g}",),
            ),
            (expiry, "gauge", "When the first certificate of the chain expires, as a Unix time.", expires),
            (
                response,
                "histogram",
                "Response time of successful checks.",
                lambda one: (one.response.text(response, one.typed),),
            ),
        )

    def _usage_lines(self) -> Iterable[str]:
        used = [(one.named, one.usage) for one in self._services.values() if one.usage is not None]
        for name, field, text in USAGE:
            yield from _head(name, "gauge", text)
            for named, usage in used:
                if (value := getattr(usage, field)) is not None:
                    yield f"{name}{{{named}}} {value}"

    def _monitor_lines(self, monotonic: float) -> Iterable[str]:
        yield from _head("fks_monitor_uptime_seconds_total", "counter", "Seconds since the monitor started.")
        yield f"fks_monitor_uptime_seconds_total {monotonic - self._started:.3f}"
        lateness = "fks_monitor_check_lateness_seconds"
        yield from _head(lateness, "histogram", "How much later than due checks began; first looks do not count.")
        yield self.lateness.text(lateness, "").replace("{,", "{").replace("{}", "")
        yield from _head("fks_websocket_connections_active", "gauge", "Open WebSocket connections.")
        yield f"fks_websocket_connections_active {self.websocket_connections}"
        yield from _head("fks_compose_unauthorized_total", "counter", "Refused Compose requests.")
        yield f"fks_compose_unauthorized_total {self.compose_unauthorized}"
        yield from _head("fks_restart_unauthorized_total", "counter", "Refused restart requests.")
        yield f"fks_restart_unauthorized_total {self.restart_unauthorized}"
        yield from self._compose_lines()
        yield from _head("fks_service_restarts_total", "counter", "Restarts of a service's container.")
        for (named, success), count in self._restarts.items():
            yield f'fks_service_restarts_total{{{named},success="{success}"}} {count}'
        yield from _head("fks_service_restart_duration_seconds", "histogram", "Duration of restarts.")
        for service_id, histogram in self._restart_durations.items():
            yield histogram.text("fks_service_restart_duration_seconds", labels(service_id=service_id))
        yield from _head("fks_http_requests_total", "counter", "HTTP requests by route.")
        for (method, path, status), count in self._requests.items():
            yield f"fks_http_requests_total{{{labels(method=method, path=path, status=str(status))}}} {count}"
        yield from _head("fks_http_request_duration_seconds", "histogram", "Duration of HTTP requests by route.")
        for (method, path), histogram in self._durations.items():
            yield histogram.text("fks_http_request_duration_seconds", labels(method=method, path=path))

    def _compose_lines(self) -> Iterable[str]:
        yield from _head("fks_compose_actions_total", "counter", "Compose actions that ended, by success.")
        for (action, is_success), count in self._compose.items():
            yield f"fks_compose_actions_total{{{labels(action=action, success=str(is_success).lower())}}} {count}"
        yield from _head("fks_compose_action_duration_seconds", "histogram", "Duration of Compose actions.")
        for action, histogram in self._compose_durations.items():
            yield histogram.text("fks_compose_action_duration_seconds", labels(action=action))


def _family_lines(family: Family) -> Iterable[str]:
    yield from _head(family.name, family.kind, family.text)
    for named, value in family.samples:
        yield f"{family.name}{{{labels(**named)}}} {value:.15g}" if named else f"{family.name} {value:.15g}"


def _head(name: str, kind: str, text: str) -> tuple[str, str]:
    return f"# HELP {name} {text}", f"# TYPE {name} {kind}"
