"""The keeper of jobs in virtual time: what it tells the hub, and what it forgives."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from fks_master.errors import StoreUnavailableError
from fks_master.heartbeats.schedule import Said, Signal
from fks_master.heartbeats.ward import Ward
from fks_master.model import HeartbeatOptions, Outcome, Reason, Result, Service
from fks_master.testing import START, ManualClock

OPTIONS = HeartbeatOptions(token_hash="right", period_seconds=3600, grace_seconds=60)
JOB = Service("job", "Job", "heartbeat://", heartbeat=OPTIONS, interval_seconds=30)


class Steppable(ManualClock):
    """Its wall clock can be put forward and back."""

    offset = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.offset


class Store:
    """Keeps nothing, and fails when told to."""

    def __init__(self) -> None:
        self.is_away = False
        self.written: list[Any] = []

    async def execute(self, *statements: Any) -> None:
        if self.is_away:
            raise StoreUnavailableError("away")
        self.written += statements

    async def fetch(self, *_: Any, **__: Any) -> list[dict[str, Any]]:
        return []


class Stage:
    def __init__(self, *services: Service) -> None:
        self.clock, self.store = Steppable(), Store()
        self.services = {one.id: one for one in services or (JOB,)}
        self.results: list[Result] = []
        self.ward = Ward(self.store, lambda: self.services, self.results.append, self.clock)  # type: ignore[arg-type]

    async def look(self, seconds: float) -> None:
        """Look once a second, as it does."""
        for _ in range(int(seconds)):
            await self.clock.advance(1)
            self.ward.look()

    async def hear(self, signal: Signal = Signal.SUCCESS, **more: Any) -> None:
        await self.ward.hear(JOB, Said(signal, **more))

    @property
    def outcomes(self) -> list[Outcome]:
        return [one.outcome for one in self.results]


async def test_a_job_is_told_of_at_once_when_it_changes_and_once_an_interval_otherwise() -> None:
    stage = Stage()
    await stage.look(100)
    assert stage.results == []
    await stage.hear()
    await stage.look(60)
    assert stage.outcomes == [Outcome.SUCCESS] * 3
    await stage.hear(Signal.FAIL, exit_code=2, body="the end")
    last = stage.results[-1]
    assert (last.reason, last.excerpt, last.is_report) == (Reason.REPORTED, "the end", True)


async def test_silence_is_told_behind_its_grace() -> None:
    stage = Stage()
    await stage.hear()
    await stage.look(3660)
    assert Outcome.FAILURE not in stage.outcomes
    await stage.look(1)
    assert (stage.results[-1].outcome, stage.results[-1].reason) == (Outcome.FAILURE, Reason.LATE)
    await stage.hear()
    assert stage.outcomes[-1] is Outcome.SUCCESS


@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
async def test_a_wall_clock_that_steps_makes_nobody_late(hours: float) -> None:
    stage = Stage()
    await stage.hear()
    await stage.look(1800)
    stage.clock.offset = timedelta(hours=hours)
    await stage.look(1700)
    assert Outcome.FAILURE not in stage.outcomes
    await stage.look(4000)
    assert stage.outcomes[-1] is Outcome.FAILURE


async def test_a_pause_of_ours_makes_nobody_late() -> None:
    stage = Stage()
    await stage.hear()
    await stage.look(3500)
    await stage.clock.advance(600)
    await stage.look(60)
    assert Outcome.FAILURE not in stage.outcomes
    await stage.look(3700)
    assert stage.outcomes[-1] is Outcome.FAILURE


async def test_a_signal_counts_though_it_cannot_be_stored_and_is_stored_later() -> None:
    stage = Stage()
    stage.store.is_away = True
    await stage.hear()
    assert stage.outcomes == [Outcome.SUCCESS]
    stage.store.is_away = False
    await stage.ward.close()
    assert len(stage.store.written) == 2


async def test_a_job_that_cannot_be_judged_harms_no_other() -> None:
    broken = Service("broken", "Broken", "heartbeat://", heartbeat=HeartbeatOptions(cron="nonsense"))
    stage = Stage(broken, JOB)
    await stage.hear()
    await stage.look(31)
    assert {one.service_id for one in stage.results} == {"job"}
    assert len(stage.results) == 2


def test_a_token_finds_its_job_and_no_other_does() -> None:
    ward = Stage().ward
    assert ward.find("right") is JOB
    assert ward.find("wrong") is None
    assert ward.find("") is None
    assert ward.beat(JOB).since == START


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_step_over_the_hour_of_cron_makes_nobody_late(hours: float) -> None:
    nightly = Service("job", "Job", "heartbeat://", heartbeat=HeartbeatOptions(cron="30 0 * * *", token_hash="right"))
    stage = Stage(nightly)
    await stage.look(1800 if hours > 0 else 1810)
    if hours < 0:
        await stage.hear()
    stage.clock.offset = timedelta(hours=hours)
    await stage.look(7200)
    assert Outcome.FAILURE not in stage.outcomes
