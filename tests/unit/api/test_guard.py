import pytest
from starlette.requests import Request

from fks_master.api.guard import Guard, origins_of
from fks_master.model import Service, ServiceType


def request(scheme: str = "http", **headers: str) -> Request:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    where = {"scheme": scheme, "path": "/", "server": ("a", 80)}
    return Request({"type": "http", "method": "POST", "headers": raw, **where})


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:9090", "127.0.0.1:9090", "[::1]:9090", "fks_master", "FKS_Master:80", "nas.local",
     "nas.local.", "ops.example", "OPS.example:9090"],
)  # fmt: skip
def test_open_mode_knows_addresses_bare_names_local_ones_and_those_listed(host: str) -> None:
    assert Guard((), ("ops.example",)).refuses(request(host=host)) is None


@pytest.mark.parametrize("host", ["", "evil.example", "evil.example:9090", "1.2.3.4.evil.example", "x.local.evil"])
def test_open_mode_knows_no_other_name(host: str) -> None:
    refusal = Guard((), ("ops.example",)).refuses(request(host=host))
    assert refusal is not None
    assert refusal.status == 421


def test_with_a_credential_configured_every_host_will_do() -> None:
    assert Guard(is_open=False).refuses(request(host="evil.example")) is None


@pytest.mark.parametrize(
    ("origin", "is_known"),
    [
        ("http://localhost:9090", True),
        ("HTTP://LOCALHOST:9090", True),
        ("https://localhost:9090", False),
        ("http://localhost", False),
        ("http://localhost:9091", False),
        ("https://ops.example", True),
        ("https://ops.example.evil", False),
        ("null", False),
        ("", False),
    ],
)
def test_a_page_must_be_ours_or_listed(origin: str, is_known: bool) -> None:
    guard = Guard(["https://ops.example/"])
    assert (guard.refuses(request(host="localhost:9090", origin=origin)) is None) is is_known


def test_the_feed_compares_with_the_scheme_of_pages() -> None:
    assert Guard().refuses(request("ws", host="localhost", origin="http://localhost")) is None
    assert Guard().refuses(request("wss", host="localhost", origin="http://localhost")) is not None


def test_services_of_type_web_may_come_as_they_are_checked_and_from_this_machine() -> None:
    def web(address: str, kind: ServiceType = ServiceType.WEB) -> Service:
        return Service("web", "Web", address, kind)

    assert list(origins_of([web("http://fks_web:3000/health")])) == ["http://fks_web:3000", "http://localhost:3000"]
    assert list(origins_of([web("https://[::1]/")])) == ["https://[::1]", "https://localhost"]
    assert list(origins_of([web("tcp://a:1"), web("http://a/", ServiceType.API)])) == []


def test_hosts_and_origins_are_replaced_together() -> None:
    guard = Guard(["https://ops.example"], ["ops.example"])
    guard.allow(["https://new.example"], ["New.example"])
    assert guard.refuses(request(host="new.example", origin="https://new.example")) is None
    assert guard.refuses(request(host="ops.example")) is not None
    assert guard.refuses(request(host="new.example", origin="https://ops.example")) is not None
