"""The shapes that clients rely on."""

from datetime import datetime

import msgspec

from fks_master.control.containers import Lately
from fks_master.docker.container import Container
from fks_master.docker.usage import Usage
from fks_master.model import Certificate, Outcome, Phases, Reason, Result, Service, ServiceType, State, Status


class ServiceStatus(msgspec.Struct, frozen=True):
    """One line of `GET /api/services`.

    `since` is when the present status began; `is_down` whether people were told. The rest repeats the configuration,
    so that a page can group, filter and draw the map without another question.
    """

    id: str
    name: str
    status: Status
    last_check: datetime | None
    uptime_seconds: int
    response_time_ms: float | None
    error_message: str | None
    service_type: ServiceType
    critical: bool
    since: datetime | None = None
    is_down: bool = False
    reason: Reason | None = None
    group: str | None = None
    labels: dict[str, str] = {}
    depends_on: tuple[str, ...] = ()
    interval_seconds: float = 30.0
    expected_response_time_ms: float = 1000.0
    docker_container: str | None = None
    is_discovered: bool = False


class ServiceChange(msgspec.Struct, frozen=True, omit_defaults=True, tag="change"):
    """What a check changes of a ServiceStatus, for clients of the live feed that asked for it.

    What is left out has its default: no error, not down; all else of the service is as it was.
    """

    id: str
    status: Status
    last_check: datetime | None = None
    since: datetime | None = None
    response_time_ms: float | None = None
    error_message: str | None = None
    is_down: bool = False
    reason: Reason | None = None


class Check(msgspec.Struct, frozen=True):
    """One check, or one component that a service reports about."""

    name: str
    status: Status
    response_time_ms: float | None
    message: str | None
    timestamp: datetime


class ServiceFigures(msgspec.Struct, frozen=True):
    """Figures of a service; null where unknown."""

    cpu_usage_percent: float | None = None
    memory_usage_mb: float | None = None
    disk_usage_percent: float | None = None
    network_in_bytes: int | None = None
    network_out_bytes: int | None = None
    request_count: int | None = None
    error_rate: float | None = None
    block_read_bytes: int | None = None
    block_write_bytes: int | None = None


class ContainerFacts(msgspec.Struct, frozen=True):
    """The container of a service.

    `restart_count` is Docker's, which a restart by hand resets; `crashes` is counted here, over ten minutes.
    `was_stopped`: somebody asked for its end.
    """

    id: str
    name: str
    image: str
    image_id: str
    state: str
    health: str | None
    exit_code: int | None
    oom_killed: bool
    restart_count: int
    started_at: datetime | None
    finished_at: datetime | None
    crashes: int = 0
    is_crash_looping: bool = False
    was_stopped: bool = False


def container_facts(container: Container, lately: Lately) -> ContainerFacts:
    """Leave out labels, which may hold secrets, and where it is in its networks."""
    names = set(ContainerFacts.__struct_fields__) & set(Container.__struct_fields__)
    return ContainerFacts(**{name: getattr(container, name) for name in names}, **msgspec.structs.asdict(lately))


class ServiceHealth(msgspec.Struct, frozen=True):
    """`GET /api/services/{id}/health`.

    `phases` are the seconds that each part of the last check took; `certificate` is the one of the chain that expires
    first.
    """

    service_id: str
    status: Status
    checks: list[Check]
    metrics: ServiceFigures
    last_updated: datetime | None
    container: ContainerFacts | None = None
    phases: Phases | None = None
    certificate: Certificate | None = None


class SystemMetrics(msgspec.Struct, frozen=True):
    """`GET /api/metrics`."""

    total_services: int
    healthy_services: int
    unhealthy_services: int
    critical_services_down: int
    average_response_time_ms: float
    system_load_average: float
    total_requests: int
    total_errors: int


class AggregateService(msgspec.Struct, frozen=True, rename="camel"):
    """One service as the React app reads it."""

    id: str
    name: str
    status: str
    raw_status: Status
    last_check: datetime | None
    response_time_ms: float | None
    critical: bool


class Aggregate(msgspec.Struct, frozen=True, rename="camel"):
    """`GET /health/aggregate`."""

    overall_status: str
    total_services: int
    healthy_services: int
    warning_services: int
    error_services: int
    offline_services: int
    last_update: datetime
    services: list[AggregateService]


AGGREGATE_WORD = {
    Status.HEALTHY: "healthy",
    Status.DEGRADED: "warning",
    Status.UNHEALTHY: "error",
    Status.UNKNOWN: "offline",
}


def milliseconds(result: Result | None) -> float | None:
    if result is None or result.outcome is not Outcome.SUCCESS:
        return None
    return round(result.seconds * 1000, 2)


def service_status(service: Service, state: State, now: datetime) -> ServiceStatus:
    return ServiceStatus(
        id=service.id,
        name=service.name,
        status=state.status,
        last_check=state.last.at if state.last else None,
        uptime_seconds=max(0, int((now - state.up_since).total_seconds())) if state.up_since else 0,
        response_time_ms=milliseconds(state.last),
        error_message=state.last.message if state.last else None,
        service_type=service.service_type,
        critical=service.critical,
        since=state.since,
        is_down=state.is_down,
        reason=state.last.reason if state.last else None,
        group=service.group,
        labels=service.labels,
        depends_on=service.depends_on,
        interval_seconds=service.interval_seconds,
        expected_response_time_ms=service.expected_response_time_ms,
        docker_container=service.docker_container,
        is_discovered=service.is_discovered,
    )


def service_change(state: State) -> ServiceChange:
    last = state.last
    return ServiceChange(
        state.service_id,
        state.status,
        last.at if last else None,
        state.since,
        milliseconds(last),
        last.message if last else None,
        state.is_down,
        last.reason if last else None,
    )


def service_figures(error_rate: float, usage: Usage | None) -> ServiceFigures:
    usage = usage or Usage()
    return ServiceFigures(
        cpu_usage_percent=usage.cpu_percent,
        memory_usage_mb=usage.memory_mebibytes,
        network_in_bytes=usage.network_in_bytes,
        network_out_bytes=usage.network_out_bytes,
        error_rate=error_rate,
        block_read_bytes=usage.block_read_bytes,
        block_write_bytes=usage.block_write_bytes,
    )


def service_health(state: State, figures: ServiceFigures, container: ContainerFacts | None) -> ServiceHealth:
    last = state.last
    checks: list[Check] = []
    if last is not None:
        checks.append(Check("health_endpoint", state.status, milliseconds(last), last.message, last.at))
        checks += [Check(one.name, one.status, one.latency_ms, one.message, last.at) for one in last.components]
    if last is None:
        return ServiceHealth(state.service_id, state.status, checks, figures, None, container)
    return ServiceHealth(
        state.service_id, state.status, checks, figures, last.at, container, last.phases, last.certificate
    )


def aggregate(statuses: list[ServiceStatus], now: datetime) -> Aggregate:
    words = [AGGREGATE_WORD[one.status] for one in statuses]
    overall = "healthy"
    if "error" in words:
        overall = "critical"
    elif "warning" in words or "offline" in words:
        overall = "degraded"
    return Aggregate(
        overall_status=overall,
        total_services=len(statuses),
        healthy_services=words.count("healthy"),
        warning_services=words.count("warning"),
        error_services=words.count("error"),
        offline_services=words.count("offline"),
        last_update=now,
        services=[
            AggregateService(
                one.id,
                one.name,
                AGGREGATE_WORD[one.status],
                one.status,
                one.last_check,
                one.response_time_ms,
                one.critical,
            )
            for one in statuses
        ],
    )


def system_metrics(statuses: list[ServiceStatus], load: float, requests: int, errors: int) -> SystemMetrics:
    times = [one.response_time_ms for one in statuses if one.response_time_ms is not None]
    unhealthy = [one for one in statuses if one.status is Status.UNHEALTHY]
    return SystemMetrics(
        total_services=len(statuses),
        healthy_services=sum(one.status is Status.HEALTHY for one in statuses),
        unhealthy_services=len(unhealthy),
        critical_services_down=sum(one.critical for one in unhealthy),
        average_response_time_ms=round(sum(times) / len(times), 2) if times else 0.0,
        system_load_average=load,
        total_requests=requests,
        total_errors=errors,
    )
