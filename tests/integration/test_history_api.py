"""History over the API, from a database with a known past."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tests.integration.test_history_care import write
from tests.process import Monitor, monitor

START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)
COUNT = 400
INCIDENTS = COUNT // 10


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitor]:
    folder: Path = tmp_path_factory.mktemp("history")
    asyncio.run(write(folder / "fks.db", START, COUNT))
    service = '[[services]]\nid = "api"\nname = "<Api> & Co"\nhealth_endpoint = "http://127.0.0.1:1/"\n'
    (folder / "monitor.toml").write_text(
        f'[history]\nurl = "sqlite:fks.db"\n[monitoring]\ncheck_interval_seconds = 3600\n{service}'
    )
    with monitor("--config", "monitor.toml", folder=folder) as running:
        yield running


def moment(seconds: float) -> str:
    return f"{START + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def pages(one: Monitor, path: str, field: str) -> Iterator[list[Any]]:
    cursor = ""
    while True:
        page = one.get(f"{path}{cursor}")
        yield page[field]
        if page["next"] is None:
            return
        cursor = f"&cursor={page['next']}"


def test_incidents_come_in_pages_newest_first_each_once(one: Monitor) -> None:
    found = list(pages(one, f"/api/incidents?limit=7&until={moment(30 * COUNT)}", "incidents"))
    assert [len(page) for page in found][:-1] == [7] * (len(found) - 1)
    incidents = [each for page in found for each in page]
    assert len({each["id"] for each in incidents}) == len(incidents) == INCIDENTS
    begins = [each["started_at"] for each in incidents]
    assert begins == sorted(begins, reverse=True)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("state=open", 0),
        ("state=closed", INCIDENTS),
        ("service_id=api", INCIDENTS),
        ("service_id=other", 0),
        (f"since={moment(30 * 95)}", INCIDENTS - 10),
        (f"until={moment(30 * 100)}", 10),
    ],
    ids=["open", "closed", "of one", "of another", "since", "until"],
)
def test_incidents_are_filtered(one: Monitor, query: str, count: int) -> None:
    path = f"/api/incidents?limit=1000&until={moment(30 * COUNT)}&{query}"
    assert len([each for page in pages(one, path, "incidents") for each in page]) == count


def test_events_are_filtered_by_type_and_come_in_pages(one: Monitor) -> None:
    path = f"/api/events?event_type=ServiceUp&limit=15&until={moment(30 * COUNT)}"
    events = [each for page in pages(one, path, "events") for each in page]
    assert {each["event_type"] for each in events} == {"ServiceUp"}
    assert len({each["id"] for each in events}) == len(events) == INCIDENTS


def test_one_incident_has_timeline_evidence_and_a_post_mortem(one: Monitor) -> None:
    incident = one.get(f"/api/incidents?limit=1&until={moment(3000)}")["incidents"][0]
    found = one.get(f"/api/incidents/{incident['id']}")
    assert [entry["kind"] for entry in found["timeline"]][:2] == ["result", "ServiceDown"]
    assert {each["kind"] for each in found["evidence"]} >= {"failure", "last_good"}
    text = one.request(f"/api/incidents/{incident['id']}/postmortem")[2].decode()
    assert text.startswith("# &lt;Api> & Co was down")


@pytest.mark.parametrize(
    ("hours", "step"),
    [(1, 60), (5, 60), (24, 300), (24 * 7, 3600), (24 * 30, 10_800), (24 * 90, 86_400), (24 * 365, 86_400)],
)
def test_the_resolution_of_a_chart_fits_its_range(one: Monitor, hours: int, step: int) -> None:
    query = f"since={moment(-3600 * (hours - 4))}&until={moment(4 * 3600)}"
    found = one.get(f"/api/services/api/history?{query}")
    assert found["step_seconds"] == step
    assert len(found["points"]) <= 366
    within = COUNT - max(0, 120 * (4 - hours))
    assert within - 2 <= sum(point["latency"]["count"] for point in found["points"]) <= within + 2


def test_uptime_and_latency_of_any_range(one: Monitor) -> None:
    query = f"since={moment(0)}&until={moment(30 * 300)}"
    uptime = one.get(f"/api/services/api/uptime?{query}")["ranges"]["range"]
    assert uptime["uptime_percent"] == pytest.approx(90, abs=0.01)
    latency = one.get(f"/api/services/api/latency?{query}")
    assert (latency["count"], latency["failures"]) == (300, 30)
    assert latency["p50_ms"] == latency["p95_ms"] == latency["p99_ms"] == pytest.approx(10, rel=0.02)
    assert set(one.get("/api/services/api/uptime")["ranges"]) == {"24h", "7d", "30d", "90d", "1y"}


@pytest.mark.parametrize(
    "path",
    [
        "/api/incidents?since=2026-01-01T00:00:00",
        "/api/events?until=yesterday",
        "/api/incidents?limit=0",
        "/api/incidents?state=ended",
        "/api/services/api/uptime?range=1x",
        "/api/services/api/history?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z",
    ],
)
def test_what_makes_no_sense_is_refused(one: Monitor, path: str) -> None:
    assert one.request(path)[0] == 400


@pytest.mark.parametrize("kind", ["health", "uptime", "latency"])
def test_badges_are_svg_by_themselves(one: Monitor, kind: str) -> None:
    status, headers, body = one.request(f"/api/services/api/badge/{kind}.svg")
    assert (status, headers["content-type"]) == (200, "image/svg+xml")
    assert ET.fromstring(body).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own
    assert one.request(f"/api/services/other/badge/{kind}.svg")[0] == 404


def test_a_cursor_beyond_all_numbers_is_no_fault_of_the_store(one: Monitor) -> None:
    for path in ("/api/incidents", "/api/events"):
        for cursor in ("-5", "-99999999999999999999999"):
            assert one.request(f"{path}?cursor={cursor}")[0] == 200
