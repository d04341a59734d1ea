"""What is configured: a service, and the policy by which it is judged."""

from enum import StrEnum

import msgspec

from fks_master.model.heartbeat import HeartbeatOptions
from fks_master.model.objective import Objective
from fks_master.model.options import DnsOptions, HttpOptions, IpFamily, TcpOptions, TlsOptions

BACKOFF_SECONDS = 0.3  # a bound of the pause before the second try; each further one is longer by as much


class ServiceType(StrEnum):
    """What a service is for; decides nothing but how it is shown and grouped."""

    API = "Api"
    WORKER = "Worker"
    DATABASE = "Database"
    AUTH = "Auth"
    ENGINE = "Engine"
    TRANSFORMER = "Transformer"
    TRAINING = "Training"
    CONFIG = "Config"
    EXECUTION = "Execution"
    WEB = "Web"
    NGINX = "Nginx"
    MASTER = "Master"
    CACHE = "Cache"
    QUEUE = "Queue"
    OTHER = "Other"


class Policy(msgspec.Struct, frozen=True):
    """How results become status and events."""

    failure_threshold: int = 3
    high_latency_ms: float = 2000.0
    success_threshold: int = 1


class Service(msgspec.Struct, frozen=True):
    """One service that is watched."""

    id: str
    name: str
    health_endpoint: str
    service_type: ServiceType = ServiceType.OTHER
    docker_container: str | None = None
    expected_response_time_ms: float = 1000.0
    critical: bool = False
    interval_seconds: float = 30.0
    timeout_seconds: float = 10.0
    tries: int = 3
    detailed: bool = True
    depends_on: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    group: str | None = None
    ip_family: IpFamily = IpFamily.ANY
    http: HttpOptions = HttpOptions()
    tls: TlsOptions = TlsOptions()
    tcp: TcpOptions = TcpOptions()
    dns: DnsOptions = DnsOptions()
    is_discovered: bool = False
    heartbeat: HeartbeatOptions = HeartbeatOptions()
    slo: Objective | None = None

    @property
    def asking_seconds(self) -> float:
        """How long one check with all its tries, and the pauses between them, may take."""
        return self.tries * self.timeout_seconds + BACKOFF_SECONDS * self.tries * (self.tries - 1) / 2

    def bound_seconds(self, policy: Policy) -> float:
        """Give how long a state must last to be told in any case; shorter ones may be flaps."""
        return self.interval_seconds * policy.failure_threshold + self.asking_seconds + 2
