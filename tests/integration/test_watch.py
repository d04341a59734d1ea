import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fks_master.api.app import build
from fks_master.api.audit import Audit
from fks_master.api.auth import Authority, Doorkeeper
from fks_master.api.commands import Commands
from fks_master.api.doors import Doors
from fks_master.api.guard import Guard
from fks_master.api.live import LiveFeed
from fks_master.api.routes.monitor import MonitorRoutes
from fks_master.api.routes.services import ServiceRoutes
from fks_master.api.view import View
from fks_master.clock import SystemClock
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Outcome, Policy, Reason, Service, Status
from fks_master.probes.prober import Prober
from fks_master.scheduler.loop import Scheduler
from fks_master.tracing import NoTracer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
BAD = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.fixture
async def prober() -> AsyncIterator[Prober]:
    one = Prober(SystemClock())
    one.start()
    yield one
    await one.close()


async def server(answer: bytes | None) -> asyncio.Server:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            await reader.read()
        else:
            writer.write(answer)
        writer.close()

    return await asyncio.start_server(handle, "127.0.0.1", 0)


def service(port: int, timeout_seconds: float = 10.0, **more: object) -> Service:
    url = f"http://127.0.0.1:{port}/health"
    return Service("one", "One", url, tries=1, timeout_seconds=timeout_seconds, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (OK, Outcome.SUCCESS, None),
        (BAD, Outcome.FAILURE, Reason.STATUS),
        (None, Outcome.FAILURE, Reason.TIMEOUT),
        (b"", Outcome.FAILURE, Reason.RESET),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", Outcome.FAILURE, Reason.RESET),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000, Outcome.SUCCESS, None),
    ],
)
async def test_a_server_is_seen_as_it_behaves(
    prober: Prober, answer: bytes | None, outcome: Outcome, reason: Reason | None
) -> None:
    listener = await server(answer)
    port = listener.sockets[0].getsockname()[1]
    result = await prober.probe(service(port, 0.5 if answer is None else 10.0))
    listener.close()
    assert (result.outcome, result.reason) == (outcome, reason)
    assert result.seconds < 5


async def test_a_closed_port_is_refused(prober: Prober) -> None:
    listener = await server(OK)
    port = listener.sockets[0].getsockname()[1]
    listener.close()
    await listener.wait_closed()
    result = await prober.probe(service(port))
    assert result.reason is Reason.REFUSED


async def test_a_check_reaches_the_api_and_the_metrics(prober: Prober, tmp_path: Path) -> None:
    listener = await server(BAD)
    one = service(listener.sockets[0].getsockname()[1], critical=True)
    clock = SystemClock()
    metrics = Metrics(clock.monotonic())
    hub = Hub([one], Policy(failure_threshold=1), metrics)
    scheduler = Scheduler(prober.probe, hub.ingest, clock, 5)
    scheduler.watch([one])
    with hub.bus.subscribe() as subscription:
        checking = asyncio.create_task(scheduler.run())
        change = (await subscription.take_all())[0]
        checking.cancel()
        await asyncio.gather(checking, return_exceptions=True)
    listener.close()
    assert change.state.status is Status.UNHEALTHY
    assert [event.event_type for event in change.events] == ["StatusChanged", "ServiceDown"]
    view = View(hub, metrics, clock)
    endpoints = [*MonitorRoutes(view, lambda: None, lambda: None).endpoints(), *ServiceRoutes(view).endpoints()]
    doors = Doors(Guard(), Doorkeeper(Authority(), clock), Audit(tmp_path / "audit.jsonl"), clock)
    application = build(
        LiveFeed(hub, view, metrics, Commands(doors, {})),
        doors,
        metrics,
        endpoints,
        NoTracer(),
    )
    body = json.loads(await get(application, "/health/aggregate"))
    assert body["overallStatus"] == "critical"
    assert body["errorServices"] == 1
    text = (await get(application, "/metrics")).decode()
    assert (
        'fks_service_health_status{service_id="one",service_name="One",service_type="Other",critical="true"} 3' in text
    )
    assert json.loads(await get(application, "/api/services"))[0]["error_message"] == "HTTP 503"
    assert json.loads(await get(application, "/api/services/none/health"))["status"] == 404
    assert json.loads(await get(application, "/health"))["service"] == "fks_master"


async def get(application: object, path: str) -> bytes:
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "", "scheme": "http",
        "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 9090),
    }  # fmt: skip
    await application(scope, receive, send)  # type: ignore[operator]
    return b"".join(message.get("body", b"") for message in sent)  # type: ignore[misc]
