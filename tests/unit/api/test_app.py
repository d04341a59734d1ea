import asyncio
from typing import Any

import pytest

from fks_master.api.app import Observed
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
