"""One receiver's queue in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import pytest

from fks_master.alerts.notice import Notice, Severity
from fks_master.alerts.notify import Answer, Message, Receiver, Request, Verdict
from fks_master.alerts.notify.options import WebhookOptions
from fks_master.alerts.outbox import Lane
from fks_master.alerts.store import Delivery
from fks_master.testing import START, ManualClock

SENT = Answer(Verdict.SENT, "HTTP 200")
AGAIN = Answer(Verdict.AGAIN, "HTTP 503")
REFUSED = Answer(Verdict.REFUSED, "HTTP 400")


class Play:
    """A lane whose receiver answers as it is told; what it was sent is remembered with the moment."""

    def __init__(self, kind: str = "webhook") -> None:
        self.clock = ManualClock()
        self.answers: list[Answer] = []
        self.poison: set[str] = set()
        self.sent: list[tuple[float, list[str]]] = []
        self.finished: list[tuple[str, str]] = []
        self.complaints: list[str] = []
        self.lane = Lane(Receiver("ops", kind, "http://x/"), self._send, self._finish, self._complain, self.clock)
        self._number = 0

    async def _send(self, name: str, message: Message) -> Answer:
        assert name == "ops"
        assert isinstance(message, Request)
        body = msgspec.json.decode(message.body)
        events = body.get("events") or [body]
        ids = [one.get("id") or one["payload"]["custom_details"]["event_id"] for one in events]
        self.sent.append((self.clock.monotonic(), ids))
        if self.poison & set(ids):
            return REFUSED
        return self.answers.pop(0) if self.answers else SENT

    async def _finish(self, deliveries: Sequence[Delivery]) -> None:
        self.finished += [(one.notice.id, one.state) for one in deliveries]

    def _complain(self, _: Receiver, answer: Answer) -> None:
        self.complaints.append(answer.text)

    def put(self, count: int) -> None:
        for _ in range(count):
            self._number += 1
            notice = Notice(
                str(self._number), "ServiceDown", f"s{self._number}", None, "down", START, severity=Severity.WARNING
            )
            self.lane.put(Delivery(f"{notice.id}@ops", self._number, "ops", notice, START))

    @property
    def done(self) -> list[str]:
        return [number for number, _ in self.finished]


@asynccontextmanager
async def playing(kind: str = "webhook") -> AsyncIterator[Play]:
    play = Play(kind)
    task = asyncio.ensure_future(play.lane.run())
    try:
        yield play
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def numbers(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last + 1)]


async def test_what_comes_together_goes_together_at_once() -> None:
    async with playing() as play:
        play.put(2)
        await play.clock.advance(0.06)
        assert play.sent == [(pytest.approx(0.05), ["1", "2"])]
        assert play.finished == [("1", "sent"), ("2", "sent")]


async def test_the_first_of_a_storm_goes_at_once_and_the_others_in_one_delivery() -> None:
    async with playing() as play:
        play.put(1)
        for _ in range(20):
            await play.clock.advance(0.1)
            play.put(50)
        await play.clock.advance(5)
        assert [len(ids) for _, ids in play.sent] == [1, 1000]
        assert play.sent[0][0] == pytest.approx(0.05)
        assert play.sent[1][0] < 6
        assert play.done == numbers(1, 1001)


async def test_a_storm_without_end_is_told_every_few_seconds() -> None:
    async with playing() as play:
        for _ in range(300):
            play.put(5)
            await play.clock.advance(0.1)
        await play.clock.advance(20)
        assert 4 <= len(play.sent) <= 8
        assert play.done == numbers(1, 1500)


async def test_a_failure_is_tried_again_with_growing_pauses_and_keeps_the_order() -> None:
    async with playing() as play:
        play.answers = [AGAIN] * 5
        play.put(1)
        await play.clock.advance(3)
        play.put(1)
        await play.clock.advance(60)
        pauses = [later - earlier for (earlier, _), (later, _) in zip(play.sent, play.sent[1:], strict=False)]
        assert all(0.8 * 2**n <= pause <= 2**n + 0.1 for n, pause in enumerate(pauses))
        assert play.sent[-1][1] == play.done == ["1", "2"]
        assert (play.lane.tried, play.lane.is_failing) == (6, False)


async def test_nobody_is_tried_again_later_than_every_half_minute() -> None:
    async with playing() as play:
        play.answers = [AGAIN] * 20
        play.put(1)
        await play.clock.advance(1000)
        assert play.lane.tried == 21
        assert max(later - earlier for (earlier, _), (later, _) in zip(play.sent, play.sent[1:], strict=False)) < 31


async def test_retry_after_is_honoured() -> None:
    async with playing() as play:
        play.answers = [Answer(Verdict.AGAIN, "HTTP 429", 120.0)]
        play.put(1)
        await play.clock.advance(119)
        assert play.lane.tried == 1
        assert play.lane.queue[0].answer == "HTTP 429"
        await play.clock.advance(3)
        assert play.done == ["1"]


async def test_one_that_is_refused_is_found_and_said_and_loses_nobody_else() -> None:
    async with playing() as play:
        play.poison = {"3"}
        play.put(6)
        await play.clock.advance(60)
        assert play.finished == [("1", "sent"), ("2", "sent"), ("3", "refused"), *((n, "sent") for n in "456")]
        assert play.complaints == ["HTTP 400"]
        assert (play.lane.sent, play.lane.refused) == (5, 1)
        play.poison = {"7", "8"}
        play.put(2)
        await play.clock.advance(60)
        assert play.complaints == ["HTTP 400"] * 2


async def test_one_that_cannot_be_written_is_refused_alone() -> None:
    async with playing() as play:
        play.put(3)
        poisoned = play.lane.queue[1]
        poisoned.notice = msgspec.structs.replace(poisoned.notice, data={"a": {1.5: object()}})
        await play.clock.advance(30)
        assert [state for _, state in play.finished] == ["sent", "refused", "sent"]
        assert play.complaints == ["cannot be written: TypeError"]


async def test_pagerduty_is_told_one_by_one_without_waiting() -> None:
    async with playing("pagerduty") as play:
        play.put(30)
        await play.clock.advance(0.01)
        assert [ids for _, ids in play.sent] == [[number] for number in numbers(1, 30)]


async def test_a_template_that_shows_one_event_gets_each_alone() -> None:
    async with playing() as play:
        play.lane.receiver = msgspec.structs.replace(play.lane.receiver, webhook=WebhookOptions(body='{"id": "{id}"}'))
        play.put(7)
        await play.clock.advance(1)
        assert [ids for _, ids in play.sent] == [[number] for number in numbers(1, 7)]
        body = '{"id": "{id}", "events": {events}}'
        play.lane.receiver = msgspec.structs.replace(play.lane.receiver, webhook=WebhookOptions(body=body))
        play.put(3)
        await play.clock.advance(10)
        assert play.sent[-1][1] == numbers(8, 10)


async def test_who_stops_the_lane_can_wait_for_what_is_under_way() -> None:
    play = Play()
    release = asyncio.Event()

    async def slowly(_: str, __: Message) -> Answer:
        await release.wait()
        return SENT

    play.lane._send = slowly
    task = asyncio.ensure_future(play.lane.run())
    play.put(1)
    await play.clock.advance(0.1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert play.lane.under_way is not None
    assert play.finished == []
    release.set()
    await play.lane.under_way
    assert play.finished == [("1", "sent")]
