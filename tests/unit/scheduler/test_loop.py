import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from fks_master.clock import SystemClock
from fks_master.model import Outcome, Reason, Result, Service
from fks_master.scheduler import loop
from fks_master.scheduler.loop import Scheduler
from fks_master.scheduler.slots import Lanes, Place

CLOCK = SystemClock()
NEVER = 3600.0


class Stage:
    """A scheduler over a probe that answers what it is told, with all its results."""

    def __init__(self, batch_size: int = 5) -> None:
        self.outcomes: dict[str, list[Outcome]] = {}
        self.asked: list[str] = []
        self.results: list[Result] = []
        self.hold: dict[str, asyncio.Event] = {}
        self._came = asyncio.Event()
        self.scheduler = Scheduler(self._probe, self._take, CLOCK, batch_size)
        self._task = asyncio.create_task(self.scheduler.run())

    async def _probe(self, service: Service) -> Result:
        self.asked.append(service.id)
        self._came.set()
        if service.id in self.hold:
            await self.hold[service.id].wait()
        outcomes = self.outcomes.get(service.id, [])
        outcome = outcomes.pop(0) if outcomes else Outcome.SUCCESS
        return Result(service.id, outcome, CLOCK.now(), reason=Reason.STATUS if outcome is Outcome.FAILURE else None)

    def _take(self, result: Result) -> None:
        self.results.append(result)
        self._came.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                self._came.clear()
                await self._came.wait()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    one = Stage()
    yield one
    await one.close()


def service(id_: str, interval: float = NEVER, tries: int = 3) -> Service:
    return Service(id_, id_, f"http://{id_}/", interval_seconds=interval, tries=tries)


async def test_every_service_is_looked_at_at_once_and_then_at_its_interval(stage: Stage) -> None:
    stage.scheduler.watch([service("slow"), service("quick", 0.05)])
    await stage.until(lambda: stage.asked.count("quick") >= 4)
    assert stage.asked.count("slow") == 1
    assert stage.scheduler.is_progressing()
    assert stage.scheduler.checks_completed >= 4


@pytest.mark.parametrize(
    ("outcomes", "tries", "outcome"),
    [
        (["failure", "failure", "success"], 3, Outcome.SUCCESS),
        (["failure", "success"], 2, Outcome.SUCCESS),
        (["failure", "failure", "failure"], 3, Outcome.FAILURE),
        (["success"], 1, Outcome.SUCCESS),
    ],
)
async def test_a_check_tries_again_before_it_fails(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, outcomes: list[str], tries: int, outcome: Outcome
) -> None:
    monkeypatch.setattr(loop, "BACKOFF_SECONDS", 0.01)
    stage.outcomes["one"] = [Outcome(one) for one in outcomes]
    stage.scheduler.watch([service("one")])
    await stage.until(lambda: bool(stage.results))
    assert (stage.results[0].outcome, stage.results[0].tries) == (outcome, tries)
    assert len(stage.results) == 1


async def test_a_void_check_is_asked_again_soon_and_is_no_progress(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "VOID_RETRY_SECONDS", 0.05)
    stage.outcomes["one"] = [Outcome.VOID, Outcome.VOID]
    stage.scheduler.watch([service("one")])
    await stage.until(lambda: len(stage.results) == 3)
    assert [one.outcome for one in stage.results] == [Outcome.VOID, Outcome.VOID, Outcome.SUCCESS]
    assert stage.scheduler.checks_completed == 1


async def test_a_changed_service_is_looked_at_anew_and_its_old_check_does_not_count(stage: Stage) -> None:
    stage.hold["one"] = asyncio.Event()
    stage.scheduler.watch([service("one")])
    await stage.until(lambda: stage.asked == ["one"])
    stage.scheduler.watch([service("one", tries=1)])
    await stage.until(lambda: stage.asked == ["one", "one"])
    stage.hold["one"].set()
    await stage.until(lambda: len(stage.results) == 1)
    await asyncio.sleep(0)
    assert len(stage.results) == 1


async def test_a_service_that_is_gone_is_looked_at_no_more(stage: Stage) -> None:
    stage.scheduler.watch([service("gone", 0.05), service("stays", 0.05)])
    await stage.until(lambda: {one.service_id for one in stage.results} == {"gone", "stays"})
    stage.scheduler.watch([service("stays", 0.05)])
    stage.asked.clear()
    await stage.until(lambda: stage.asked.count("stays") >= 4)
    assert "gone" not in stage.asked
    stage.scheduler.watch([])
    assert stage.scheduler.is_progressing()


async def test_a_service_can_be_looked_at_now(stage: Stage) -> None:
    stage.scheduler.watch([service("one"), service("two")])
    await stage.until(lambda: len(stage.results) == 2)
    stage.scheduler.look_now(["one", "unknown"])
    await stage.until(lambda: len(stage.results) == 3)
    assert stage.asked.count("one") == 2


def test_no_more_than_the_waiting_lane_holds_give_their_slot_back() -> None:
    begun: list[Place] = []
    lanes = Lanes(2, begun.append, waiting=1)
    first, second, third = Place(), Place(), Place()
    for one in (first, second):
        lanes.enter(one)
        lanes.move_to_waiting(one)
    assert (lanes.free, lanes.waiting) == (1, 1), "the second found no room and kept its slot"
    lanes.enter(third)
    assert lanes.free == 0
    lanes.leave(first)
    lanes.move_to_waiting(second)
    assert (lanes.free, lanes.waiting) == (1, 1)
    lanes.leave(second)
    lanes.leave(third)
    assert (lanes.free, lanes.waiting) == (2, 0)
    assert begun == [first, second, third]


def test_who_finds_no_slot_begins_in_turn() -> None:
    begun: list[Place] = []
    lanes = Lanes(1, begun.append)
    first, second, third = Place(), Place(), Place()
    for one in (first, second, third):
        lanes.enter(one)
    assert begun == [first]
    lanes.leave(first)
    assert begun == [first, second]
    lanes.move_to_waiting(second)
    assert begun == [first, second, third]


async def test_a_service_that_is_taken_over_needs_no_probe() -> None:
    results: list[Result] = []
    is_there = asyncio.Event()

    def tell(service: Service, answered: Callable[[Result | Exception], None]) -> bool:
        if service.id == "mine":
            answered(Result(service.id, Outcome.SUCCESS, CLOCK.now()))
        elif service.id == "poisoned":
            raise ValueError("no such thing")
        return service.id == "mine"

    async def probe(service: Service) -> Result:
        return Result(service.id, Outcome.SUCCESS, CLOCK.now(), message="probed")

    def sink(result: Result) -> None:
        results.append(result)
        if len(results) == 3:
            is_there.set()

    scheduler = Scheduler(probe, sink, CLOCK, 5, tell=tell)
    scheduler.watch([service("mine"), service("theirs"), service("poisoned", tries=1)])
    running = asyncio.create_task(scheduler.run())
    async with asyncio.timeout(20):
        await is_there.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert {one.service_id: one.message for one in results} == {
        "mine": None,
        "theirs": "probed",
        "poisoned": "The probe failed",
    }


async def test_what_is_gone_while_it_waits_for_a_slot_is_not_asked() -> None:
    one = Stage(batch_size=1)
    one.hold["first"] = asyncio.Event()
    one.scheduler.watch([service("first"), *(service(f"waiting{number}") for number in range(5000))])
    await one.until(lambda: one.asked == ["first"])
    one.scheduler.watch([service("first"), service("last")])
    one.hold["first"].set()
    await one.until(lambda: len(one.results) == 2)
    assert one.asked == ["first", "last"]
    await one.close()


async def test_what_is_gone_between_two_tries_is_not_tried_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "BACKOFF_SECONDS", 0.05)
    stage.outcomes["gone"] = [Outcome.FAILURE] * 9
    stage.scheduler.watch([service("gone", tries=9)])
    await stage.until(lambda: stage.asked == ["gone"])
    stage.scheduler.watch([service("stays", interval=0.1)])
    await stage.until(lambda: len(stage.results) == 5)
    assert stage.asked.count("gone") <= 2
    assert {one.service_id for one in stage.results} == {"stays"}


def test_the_number_of_slots_changes_while_some_are_taken() -> None:
    begun: list[Place] = []
    lanes: Lanes[Place] = Lanes(2, begun.append)
    places = [Place() for _ in range(6)]
    for one in places:
        lanes.enter(one)
    assert begun == places[:2]
    lanes.resize(4)
    assert begun == places[:4]
    lanes.resize(1)
    for one in places[:3]:
        lanes.leave(one)
    assert begun == places[:4], "those in one too many were let out first"
    lanes.leave(places[3])
    assert begun == places[:5]
