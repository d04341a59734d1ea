from datetime import UTC, datetime

import msgspec

from fks_master.api.view import View
from fks_master.clock import SystemClock
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Certificate, Outcome, Phases, Policy, Result, Service

EXPIRES = datetime(2030, 1, 1, tzinfo=UTC)


def test_a_certificate_and_the_phases_reach_the_api_and_the_metrics() -> None:
    clock = SystemClock()
    metrics = Metrics(clock.monotonic())
    hub = Hub([Service("one", "One", "https://one/")], Policy(), metrics)
    view = View(hub, metrics, clock)
    assert b"fks_service_certificate_expiry_timestamp_seconds{" not in b"".join(view.prometheus())
    certificate = Certificate("CN=one", "CN=ca", datetime(2029, 1, 1, tzinfo=UTC), EXPIRES)
    phases = Phases(dns=0.001, tls=0.02)
    hub.ingest(Result("one", Outcome.SUCCESS, clock.now(), 0.03, phases=phases, certificate=certificate))
    health = msgspec.to_builtins(view.health("one"))
    assert health["certificate"]["expires"] == "2030-01-01T00:00:00Z"
    assert health["phases"]["tls"] == 0.02
    line = 'fks_service_certificate_expiry_timestamp_seconds{service_id="one",service_name="One",service_type="Other"}'
    assert f"{line} {EXPIRES.timestamp():.0f}".encode() in b"".join(view.prometheus())
