import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.servers import Recorder, answer, listening, service

from fks_master.model import Component, Outcome, Reason, Status
from fks_master.probes.detail import NOTHING_SAID, read_any_report, read_report
from fks_master.probes.prober import Prober

FKS = {
    "status": "degraded",
    "components": {"engine": {"status": "healthy", "latency_ms": 1.5}},
    "dependencies": {"fks_data": {"status": "unhealthy", "latency_ms": 20, "message": "pool exhausted"}},
}
ACTUATOR = {
    "status": "DOWN",
    "components": {
        "db": {"status": "DOWN", "details": {"error": "Connection refused"}},
        "disks": {"status": "UP", "components": {"data": {"status": "UP", "details": {"free": 1}}}},
    },
}
DRAFT = {
    "status": "warn",
    "checks": {
        "cassandra:responseTime": [{"status": "pass", "observedValue": 250}],
        "memory:utilization": [{"status": "warn", "output": "92 % in use"}],
    },
}
ASP_NET = {
    "status": "Healthy",
    "totalDuration": "00:00:00.05",
    "entries": {"sql": {"status": "Healthy", "duration": "00:00:00.0123456", "description": None, "data": {}}},
}


@pytest.mark.parametrize(
    ("document", "status", "message", "components"),
    [
        (
            FKS,
            Status.DEGRADED,
            "fks_data: pool exhausted",
            [
                Component("engine", Status.HEALTHY, 1.5),
                Component("fks_data", Status.UNHEALTHY, 20, "pool exhausted"),
            ],
        ),
        (
            ACTUATOR,
            Status.UNHEALTHY,
            "db: Connection refused",
            [
                Component("db", Status.UNHEALTHY, None, "Connection refused"),
                Component("disks", Status.HEALTHY),
                Component("disks/data", Status.HEALTHY),
            ],
        ),
        (
            DRAFT,
            Status.DEGRADED,
            "memory:utilization: 92 % in use",
            [
                Component("cassandra:responseTime", Status.HEALTHY),
                Component("memory:utilization", Status.DEGRADED, None, "92 % in use"),
            ],
        ),
        (ASP_NET, Status.HEALTHY, None, [Component("sql", Status.HEALTHY, 12.346)]),
    ],
    ids=["fks", "actuator", "draft", "asp.net"],
)
def test_each_schema_is_understood(
    document: object, status: Status, message: str | None, components: list[Component]
) -> None:
    report = read_report(json.dumps(document).encode())
    assert (report.status, report.message, list(report.components)) == (status, message, components)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"Degraded", Status.DEGRADED),
        (b"Unhealthy\n", Status.UNHEALTHY),
        (b"ok", Status.HEALTHY),
        (b'{"status": "healthy", "components": {"db": "down"}}', Status.DEGRADED),
        (b'{"status": "healthy", "dependencies": [{"name": "db", "healthy": false}]}', Status.DEGRADED),
        (b'{"Status": "Unhealthy"}', Status.UNHEALTHY),
        (b'{"components": {"db": {"status": "error"}}}', Status.DEGRADED),
    ],
)
def test_variants_are_understood(body: bytes, status: Status) -> None:
    assert read_report(body).status is status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>down</html>",
        b"{",
        b'{"status": 7}',
        b'{"status": ["down"]}',
        b'{"status": "shipped", "details": {"item": {"status": "failed"}}}',
        b'{"status": NaN}',
        b'{"status": "\xff"}',
        b'{"a":' * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"null",
        b"[]",
    ],
)
def test_what_is_no_health_body_says_nothing(body: bytes) -> None:
    assert read_report(body) == NOTHING_SAID


def test_sizes_are_bounded() -> None:
    parts = {f"{number}" + "x" * 500: {"status": "down", "message": "y" * 5000} for number in range(500)}
    report = read_report(json.dumps({"status": "up", "components": parts, "dependencies": parts}).encode())
    assert len(report.components) == 64
    assert all(len(one.name) <= 100 and len(one.message or "") <= 201 for one in report.components)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)
    | st.sampled_from(["up", "down", "pass", "00:00:01"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["status", "components", "checks", "details", "message", "latency_ms"]), inner),
    max_leaves=20,
)  # fmt: skip


WORD = st.sampled_from(
    ["healthy", "Healthy ", "UP", "degraded", "unhealthy", "down", "ok", "connected", "???", "x" * 60, ""]
)
PART = st.fixed_dictionaries(
    {"status": WORD},
    optional={
        "latency_ms": st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-5, 10**13),
        "message": st.none() | st.text(max_size=20),
    },
)
PARTS = st.dictionaries(st.text(max_size=110), PART, max_size=70)
BODY = st.fixed_dictionaries(
    {"status": WORD},
    optional={
        "components": st.none() | PARTS,
        "dependencies": PARTS,
        "message": st.none() | st.text(max_size=20),
        "version": st.text(max_size=5),
        "timestamp": st.text(max_size=5) | st.integers(0, 10**10),
    },
)


@given(BODY)
def test_the_quick_way_through_the_fks_schema_says_what_the_general_one_says(body: dict[str, object]) -> None:
    text = json.dumps(body).encode()
    assert read_report(text) == read_any_report(text)


@given(VALUES)
def test_no_document_is_too_odd(document: object) -> None:
    read_report(json.dumps(document).encode())


@given(st.binary(max_size=200))
def test_no_body_is_too_odd(body: bytes) -> None:
    read_report(body)


BAD = (Outcome.FAILURE, False)
GOOD = (Outcome.SUCCESS, False)


@pytest.mark.parametrize(
    ("reply", "options", "found"),
    [
        (answer(body=json.dumps(FKS).encode()), {}, (Outcome.SUCCESS, True, None, "fks_data: pool exhausted")),
        (answer(body=json.dumps(FKS).encode()), {"detailed": False}, (*GOOD, None, None)),
        (answer(body=json.dumps(ACTUATOR).encode()), {}, (*BAD, Reason.REPORTED, "db: Connection refused")),
        (
            answer("503 Service Unavailable", json.dumps(ACTUATOR).encode()),
            {},
            (*BAD, Reason.STATUS, "HTTP 503: db: Connection refused"),
        ),
        (answer(body=b'{"status": "unhea'), {}, (*GOOD, None, None)),
    ],
)
async def test_the_body_decides_what_the_check_finds(
    prober: Prober, reply: bytes, options: dict[str, object], found: tuple[object, ...]
) -> None:
    async with listening(Recorder(reply).handle) as port:
        result = await prober.probe(service(port, **options))
    assert (result.outcome, result.degraded, result.reason, result.message) == found


def test_what_a_service_says_steers_no_terminal() -> None:
    report = read_report(b'{"status":"down","message":"\\u001b[2J\\u202egone\\n now"}')
    assert report.message == "\ufffd[2J\ufffdgone now"
