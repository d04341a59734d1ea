import json

from fks_master.api.messages import MOST_KEPT, Messages
from fks_master.api.view import View
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Event, EventType, Outcome, Policy, Result, Service
from fks_master.testing import ManualClock


class Stage:
    def __init__(self) -> None:
        self.clock = ManualClock()
        metrics = Metrics(0)
        self.hub = Hub([Service("one", "One", "http://one/")], Policy(), metrics)
        self.messages = Messages(View(self.hub, metrics, self.clock))

    def check(self, outcome: Outcome) -> None:
        self.hub.ingest(Result("one", outcome, self.clock.now(), 0.01))


def status(text: str) -> str:
    return str(json.loads(text)["services"][0]["status"])


async def test_an_update_is_shared_for_a_second_and_the_first_message_is_always_new() -> None:
    stage = Stage()
    before = stage.messages.update()
    stage.check(Outcome.SUCCESS)
    assert stage.messages.update() is before
    assert status(stage.messages.initial()) == "Healthy"
    await stage.clock.advance(1.1)
    assert status(stage.messages.update()) == "Healthy"


def test_a_change_is_put_into_words_once_for_each_state() -> None:
    stage = Stage()
    stage.check(Outcome.SUCCESS)
    first = stage.messages.change("one")
    assert first is stage.messages.change("one")
    stage.check(Outcome.FAILURE)
    second = stage.messages.change("one")
    assert second != first
    assert stage.messages.change("gone") is None


def test_an_event_is_told_nested_and_flat_and_old_ones_are_forgotten() -> None:
    stage = Stage()
    event = Event(EventType.SYSTEM_ALERT, "hello", stage.clock.now(), id=1)
    flat, nested = (json.loads(stage.messages.event(event, is_flat=is_flat)) for is_flat in (True, False))
    assert flat["event"] == nested["event"]
    assert flat["message"] == "hello"
    assert "message" not in nested
    assert stage.messages.event(event, is_flat=True) is stage.messages.event(event, is_flat=True)
    for number in range(MOST_KEPT + 5):
        stage.messages.event(Event(EventType.SYSTEM_ALERT, "more", stage.clock.now(), id=number + 2), is_flat=True)
    assert len(stage.messages._events) == MOST_KEPT
