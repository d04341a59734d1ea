from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.servers import Recorder, listening, service

from fks_master.clock import SystemClock
from fks_master.model import Outcome


class SteppingClock(SystemClock):
    """Its wall time jumps by an hour or a day with every look."""

    def __init__(self) -> None:
        self.steps = 0

    def now(self) -> datetime:
        self.steps += 1
        jump = timedelta(days=1) if self.steps % 3 else timedelta(hours=-1)
        return datetime.now(UTC) + jump * (-1) ** self.steps


async def test_the_schedule_does_not_look_at_the_wall_clock(watching: Callable[..., Any]) -> None:
    async with listening(Recorder().handle) as port:
        watch = watching([service(port, interval_seconds=0.3)], 5, SteppingClock())
        await watch.until(lambda watch: len(watch.results) >= 8)
        await watch.close()
    assert Outcome.FAILURE not in {result.outcome for _, result in watch.results}
    gaps = [later - earlier for earlier, later in pairwise(watch.moments("one")[1:])]
    assert all(gap < 5 for gap in gaps)
