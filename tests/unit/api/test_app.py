import asyncio
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from fks_master.api.app import Entrance, Observed
from fks_master.api.index import Indexed
from fks_master.clock import SystemClock
from fks_master.metrics import Metrics
from fks_master.tracing import NoTracer


@pytest.mark.parametrize(("has_begun", "statuses"), [(False, [503]), (True, [200])])
async def test_a_request_that_the_end_of_the_server_cuts_off_ends_quietly(has_begun: bool, statuses: list[int]) -> None:
    sent: list[dict[str, Any]] = []
    waits = asyncio.Event()

    async def send(message: Any) -> None:
        sent.append(message)

    async def hang(scope: Any, receive: Any, send: Any) -> None:
        if has_begun:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        waits.set()
        await asyncio.Event().wait()

    metrics = Metrics(0.0)
    scope = {"type": "http", "method": "GET", "headers": []}
    task = asyncio.create_task(Observed(hang, metrics, SystemClock(), NoTracer())(scope, hang, send))  # type: ignore[arg-type]
    await waits.wait()
    task.cancel()
    await task
    assert [each["status"] for each in sent if each["type"] == "http.response.start"] == statuses
    assert f'status="{statuses[0]}"' in metrics.render(0.0, 0.0).decode()


async def test_an_endpoint_that_fails_or_loses_its_client_is_answered_and_only_the_failure_is_raised() -> None:
    async def fails(_: Request) -> Response:
        raise ValueError("secret")

    async def loses(_: Request) -> Response:
        raise ClientDisconnect

    async def others(*_: Any) -> None:
        raise AssertionError

    entrance = Entrance(Indexed([Route("/fails", fails), Route("/loses", loses)]), others)
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    def scope(path: str) -> dict[str, Any]:
        return {"type": "http", "method": "GET", "path": path, "headers": [], "state": {}, "query_string": b""}

    await entrance(scope("/loses"), None, send)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="secret"):
        await entrance(scope("/fails"), None, send)  # type: ignore[arg-type]
    assert [each["status"] for each in sent if each["type"] == "http.response.start"] == [400, 500]
    assert not any(b"secret" in each.get("body", b"") for each in sent)
