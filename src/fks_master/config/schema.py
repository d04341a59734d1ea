"""The shape of the configuration: its sections, their defaults, and the limits of every value."""

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from fks_master.alerts.notice import Severity
from fks_master.alerts.notify.options import EmailOptions, NtfyOptions, TelegramOptions, WebhookOptions
from fks_master.alerts.rules.rule import Condition, Rule
from fks_master.config import formats
from fks_master.model import (
    DnsOptions,
    EventType,
    HeartbeatOptions,
    HttpOptions,
    IpFamily,
    Objective,
    Policy,
    Service,
    ServiceType,
    TcpOptions,
    TlsOptions,
)
from fks_master.probes.container import watched_container

Seconds = Annotated[float, Meta(ge=0.1, le=86400)]
Milliseconds = Annotated[float, Meta(ge=1, le=3_600_000)]
Tries = Annotated[int, Meta(ge=1, le=20)]
Name = Annotated[str, Meta(extra={"format": formats.name})]
Text = Annotated[str, Meta(extra={"format": formats.present})]


class ReceiverKind(StrEnum):
    """Which form a receiver wants; `fks_master.alerts.notify` has one file for each."""

    WEBHOOK = "webhook"
    SLACK = "slack"
    DISCORD = "discord"
    TEAMS = "teams"
    EMAIL = "email"
    PAGERDUTY = "pagerduty"
    NTFY = "ntfy"
    TELEGRAM = "telegram"
    APPRISE = "apprise"


class BeatMethod(StrEnum):
    """How the dead man's switch is called."""

    GET = "GET"
    POST = "POST"


class Weekday(StrEnum):
    """A day of the week, Monday first."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


class Monitoring(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How services are checked; each of them may have its own interval, timeout and tries."""

    check_interval_seconds: Seconds = 30.0
    timeout_seconds: Seconds = 10.0
    retry_attempts: Tries = 3
    batch_size: Annotated[int, Meta(ge=1, le=1000)] = 5
    enable_docker_stats: bool = True


class ReceiverEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[alerts.receivers]]` table. Its address and secret stand here or in a file of their own.

    What the secret is depends on the kind: the key that a webhook is signed with, a password, a token.
    """

    name: Name
    kind: ReceiverKind = ReceiverKind.WEBHOOK
    url: Annotated[str, Meta(extra={"format": formats.present, "secret": True})] | None = None
    url_file: Text | None = None
    secret: Annotated[str, Meta(extra={"format": formats.present, "secret": True})] | None = None
    secret_file: Text | None = None
    webhook: WebhookOptions = WebhookOptions()
    email: EmailOptions = EmailOptions()
    telegram: TelegramOptions = TelegramOptions()
    ntfy: NtfyOptions = NtfyOptions()

    def __repr__(self) -> str:
        return f"ReceiverEntry({self.name!r}, {self.kind.value!r})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("name", self.name), ("kind", self.kind.value)]


class RouteEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[alerts.routes]]` table: what fits all its conditions goes to its receivers."""

    receivers: tuple[Name, ...]
    severities: tuple[Severity, ...] = ()
    services: tuple[Name, ...] = ()
    event_types: tuple[EventType, ...] = ()
    labels: dict[str, str] = {}
    where: tuple[Condition, ...] = ()
    repeat_seconds: Annotated[float, Meta(ge=0, le=604_800)] = 0.0
    escalate_to: tuple[Name, ...] = ()
    escalate_after_seconds: Annotated[float, Meta(ge=0, le=604_800)] = 900.0


class MaintenanceEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[alerts.maintenance]]` table: `begins` and `ends` once, or `from` and `to` again and again."""

    name: Text
    services: tuple[Name, ...] = ()
    begins: Annotated[str, Meta(extra={"format": formats.moment})] | None = None
    ends: Annotated[str, Meta(extra={"format": formats.moment})] | None = None
    from_time: Annotated[str, Meta(extra={"format": formats.time_of_day})] | None = msgspec.field(
        name="from", default=None
    )
    to_time: Annotated[str, Meta(extra={"format": formats.time_of_day})] | None = msgspec.field(name="to", default=None)
    weekdays: tuple[Weekday, ...] = ()
    zone: Annotated[str, Meta(extra={"format": formats.zone})] = "UTC"


class Alerts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When people are told, and where. The webhook's address is a secret: whoever has it can post.

    `dashboard_url` is where people reach our own pages, for links in what they are told. `heartbeat_url` is called
    every `heartbeat_seconds` for as long as checks make progress, so that somebody else notices our end.
    """

    enable_notifications: bool = True
    high_latency_threshold_ms: Milliseconds = 2000.0
    consecutive_failures_threshold: Annotated[int, Meta(ge=1, le=1000)] = 3
    consecutive_successes_threshold: Annotated[int, Meta(ge=1, le=1000)] = 1
    webhook_url: Annotated[str, Meta(extra={"format": formats.webhook, "secret": True})] | None = None
    dashboard_url: Annotated[str, Meta(extra={"format": formats.webhook})] | None = None
    heartbeat_url: Annotated[str, Meta(extra={"format": formats.webhook, "secret": True})] | None = None
    heartbeat_url_file: Text | None = None
    heartbeat_method: BeatMethod = BeatMethod.GET
    heartbeat_seconds: Annotated[float, Meta(ge=5, le=86400)] = 60.0
    receivers: tuple[ReceiverEntry, ...] = ()
    routes: tuple[RouteEntry, ...] = ()
    maintenance: tuple[MaintenanceEntry, ...] = ()
    rules: tuple[Rule, ...] = ()

    def __repr__(self) -> str:
        return f"Alerts(webhook_url={'…' if self.webhook_url else None})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("webhook_url", "…" if self.webhook_url else None)]


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may ask, and from where."""

    allowed_origins: tuple[Annotated[str, Meta(extra={"format": formats.origin})], ...] = ()
    allowed_hosts: tuple[Annotated[str, Meta(extra={"format": formats.host})], ...] = ()
    public_read: bool = True
    trusted_proxies: tuple[Annotated[str, Meta(extra={"format": formats.network})], ...] = ()
    open_networks: tuple[Annotated[str, Meta(extra={"format": formats.network})], ...] = ()


class Compose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which Compose files may be used, and which environment variables they are given."""

    roots: tuple[Text, ...] = (".",)
    environment: tuple[Annotated[str, Meta(extra={"format": formats.variable})], ...] = ()


class History(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the past is kept, and for how long. The address may hold a password."""

    enabled: bool = True
    url: Annotated[str, Meta(extra={"format": formats.database, "secret": True})] = "sqlite:data/fks_master.db"
    results_hours: Annotated[int, Meta(ge=1, le=8784)] = 48
    minutes_days: Annotated[int, Meta(ge=1, le=3660)] = 14
    hours_days: Annotated[int, Meta(ge=1, le=3660)] = 400
    events_days: Annotated[int, Meta(ge=1, le=36600)] = 400

    def __repr__(self) -> str:
        return f"History(url='{self.url.partition(':')[0]}:…')"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("url", f"{self.url.partition(':')[0]}:…")]


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the monitor can change anything at all."""

    enabled: bool = True


class Discovery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether containers that say so by label, and those of known FKS services, are watched by themselves."""

    enabled: bool = True


class StatusPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`/status`, for everybody: off, until somebody chooses what it shows."""

    enabled: bool = False
    title: Text = "Status"
    services: tuple[Name, ...] = ()


class HeartbeatEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[services.heartbeat]`, for heartbeat://. The token is a secret: whoever has it can speak for the job."""

    token: Annotated[str, Meta(extra={"format": formats.heartbeat_token, "secret": True})] | None = None
    token_file: Text | None = None
    period_seconds: Annotated[float, Meta(ge=1, le=31_622_400)] | None = None
    cron: Annotated[str, Meta(extra={"format": formats.cron})] | None = None
    zone: Annotated[str, Meta(extra={"format": formats.zone})] = "UTC"
    grace_seconds: Annotated[float, Meta(ge=1, le=2_678_400)] = 60.0
    longest_seconds: Annotated[float, Meta(ge=1, le=31_622_400)] | None = None

    def __repr__(self) -> str:
        return f"HeartbeatEntry(period_seconds={self.period_seconds}, cron={self.cron!r})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("period_seconds", self.period_seconds), ("cron", self.cron)]

    @property
    def secret(self) -> str:
        return self.token or (Path(self.token_file).read_text(encoding="utf-8").strip() if self.token_file else "")

    def options(self) -> HeartbeatOptions:
        return HeartbeatOptions(
            token_hash=hashlib.sha256(self.secret.encode()).hexdigest() if self.secret else "",
            period_seconds=self.period_seconds,
            cron=self.cron,
            zone=self.zone,
            grace_seconds=self.grace_seconds,
            longest_seconds=self.longest_seconds,
        )


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[services]]` table as written; what it leaves out comes from `[monitoring]`."""

    id: Name
    health_endpoint: Annotated[str, Meta(extra={"format": formats.endpoint, "userinfo": True})]
    name: Text | None = None
    service_type: ServiceType = ServiceType.OTHER
    docker_container: Name | None = None
    expected_response_time_ms: Milliseconds = 1000.0
    critical: bool = False
    interval_seconds: Seconds | None = None
    timeout_seconds: Seconds | None = None
    retry_attempts: Tries | None = None
    detailed: bool = True
    depends_on: tuple[Name, ...] = ()
    labels: dict[str, str] = {}
    group: Text | None = None
    ip_family: IpFamily = IpFamily.ANY
    http: HttpOptions = HttpOptions()
    tls: TlsOptions = TlsOptions()
    tcp: TcpOptions = TcpOptions()
    dns: DnsOptions = DnsOptions()
    heartbeat: HeartbeatEntry = HeartbeatEntry()
    slo: Objective | None = None

    def service(self, monitoring: Monitoring) -> Service:
        return Service(
            id=self.id,
            name=self.name or self.id,
            health_endpoint=self.health_endpoint,
            service_type=self.service_type,
            docker_container=self.docker_container or watched_container(self.health_endpoint),
            expected_response_time_ms=self.expected_response_time_ms,
            critical=self.critical,
            interval_seconds=self.interval_seconds or monitoring.check_interval_seconds,
            timeout_seconds=self.timeout_seconds or monitoring.timeout_seconds,
            tries=self.retry_attempts or monitoring.retry_attempts,
            detailed=self.detailed,
            depends_on=self.depends_on,
            labels=self.labels,
            group=self.group,
            ip_family=self.ip_family,
            http=self.http,
            tls=self.tls,
            tcp=self.tcp,
            dns=self.dns,
            heartbeat=self.heartbeat.options(),
            slo=self.slo,
        )


class Scope(StrEnum):
    """What an API key may do; each includes the one before."""

    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"


class KeyEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[api_keys]]` table, as `fks_master keys new` prints it: the SHA-256 of a key, never the key itself."""

    name: Name
    hash: Annotated[str, Meta(extra={"format": formats.sha256, "secret": True})]
    scope: Scope = Scope.READ
    expires: Annotated[str, Meta(extra={"format": formats.moment})] | None = None


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file as written."""

    monitoring: Monitoring = Monitoring()
    alerts: Alerts = Alerts()
    server: Server = Server()
    compose: Compose = Compose()
    history: History = History()
    control: Control = Control()
    discovery: Discovery = Discovery()
    status_page: StatusPage = StatusPage()
    api_keys: tuple[KeyEntry, ...] = ()
    services: tuple[Entry, ...] = ()


class Config(msgspec.Struct, frozen=True):
    """What the rest of the program reads. `source` is the file it came from; None: built in."""

    monitoring: Monitoring = Monitoring()
    alerts: Alerts = Alerts()
    server: Server = Server()
    compose: Compose = Compose()
    history: History = History()
    control: Control = Control()
    discovery: Discovery = Discovery()
    status_page: StatusPage = StatusPage()
    api_keys: tuple[KeyEntry, ...] = ()
    services: tuple[Service, ...] = ()
    source: Path | None = None

    @property
    def policy(self) -> Policy:
        return Policy(
            self.alerts.consecutive_failures_threshold,
            self.alerts.high_latency_threshold_ms,
            self.alerts.consecutive_successes_threshold,
        )
