"""The dead man's switch is called only while checks make progress."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.servers import Recorder, answer, listening

from fks_master.alerts.beacon import Beacon
from fks_master.alerts.notify import Answer, Message, Request, Verdict
from fks_master.alerts.sender import Sender
from fks_master.clock import SystemClock
from fks_master.testing import ManualClock


class Carrier:
    """Notes the moments at which it was called."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.moments: list[float] = []
        self.verdict = Verdict.SENT

    async def send(self, receiver: str, message: Message) -> Answer:
        assert isinstance(message, Request)
        assert (receiver, message.url, message.method) == ("heartbeat", "http://x/", "GET")
        self.moments.append(self.clock.monotonic())
        return Answer(self.verdict, "said")


@asynccontextmanager
async def running(beacon: Beacon) -> AsyncIterator[None]:
    task = asyncio.ensure_future(beacon.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_it_is_called_while_checks_make_progress_and_not_otherwise() -> None:
    clock, well = ManualClock(), [True]
    carrier = Carrier(clock)
    beacon = Beacon(carrier, lambda: well[0], clock)
    beacon.url = "http://x/"
    async with running(beacon):
        await clock.advance(130)
        assert carrier.moments == [0, 60, 120]
        well[0] = False
        await clock.advance(600)
        assert len(carrier.moments) == 3
        well[0], carrier.verdict = True, Verdict.AGAIN
        await clock.advance(60)
        assert (beacon.taken, beacon.failed, beacon.withheld) == (3, 1, 10)
    samples = beacon.families()[0].samples
    assert samples == (({"result": "taken"}, 3.0), ({"result": "failed"}, 1.0), ({"result": "withheld"}, 10.0))


async def test_without_an_address_nobody_is_called() -> None:
    clock = ManualClock()
    carrier = Carrier(clock)
    async with running(Beacon(carrier, lambda: True, clock)):
        await clock.advance(600)
    assert carrier.moments == []


async def test_a_real_one_is_asked_with_get() -> None:
    for reply, taken in ((answer(), 1), (answer("500 Internal"), 0)):
        server = Recorder(reply)
        async with listening(server.handle) as port:
            beacon = Beacon(Sender(), lambda: True, SystemClock())
            beacon.url = f"http://127.0.0.1:{port}/ping/secret"
            await beacon._call()
            beacon.method = "POST"
            await beacon._call()
        assert server.requests[0].startswith(b"GET /ping/secret HTTP/1.1\r\n")
        assert server.requests[1].startswith(b"POST /ping/secret HTTP/1.1\r\n")
        assert (beacon.taken, beacon.failed) == (2 * taken, 2 - 2 * taken)
