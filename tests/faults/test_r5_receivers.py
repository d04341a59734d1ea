"""R5: receivers that refuse, hang, fail or want to be left alone, and come back; a storm; kills in between.

The longest pauses are shortened here; that the real ones keep a return within a minute is arithmetic, and tested so.
"""

import asyncio
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.tower import PATIENCE, Receiver, Tower, receivers, tables, tower, until

from fks_master.alerts import outbox, post, sender
from fks_master.alerts.silences import Silence
from fks_master.alerts.store import Remembered, Store
from fks_master.clock import SystemClock
from fks_master.errors import StoreUnavailableError

SERVICES = [f"s{number}" for number in range(8)]
BROKEN = {"refuses": "refuse", "hangs": "hang", "fails": "500", "slowly": "429"}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "LONGEST_BACKOFF", 0.5)
    monkeypatch.setattr(outbox, "FIRST_BACKOFF", 0.1)
    monkeypatch.setattr(outbox, "AFTER_STORM_SECONDS", 0.5)
    monkeypatch.setattr(post, "WHOLE_MS", 500)


def test_a_receiver_that_returns_is_told_everything_within_a_minute() -> None:
    longest_try = max(post.WHOLE_MS / 1000, sender.DEADLINE_SECONDS)
    waits = outbox.LONGEST_BACKOFF + outbox.LONGEST_STORM_SECONDS + outbox.GATHER_SECONDS
    assert longest_try + waits < 60


async def watch_loop(lags: list[float]) -> None:
    """Note how long this loop computed between two ticks; other processes on the machine do not count."""
    while True:
        before = time.thread_time()
        await asyncio.sleep(0.005)
        lags.append(time.thread_time() - before)


def assert_told_once_and_in_order(receiver: Receiver, rounds: int) -> None:
    ids = [int(number) for number, _, _ in receiver.events]
    assert ids == sorted(set(ids))
    for name in SERVICES:
        assert receiver.of(name) == ["ServiceDown", "ServiceUp"] * rounds


@pytest.mark.usefixtures("impatient")
async def test_all_of_them_hear_everything_in_order_and_harm_nobody(tmp_path: Path) -> None:
    async with receivers(well="ok", **BROKEN) as made, tower(tmp_path, tables(made), SERVICES) as one:
        lags: list[float] = []
        watcher = asyncio.create_task(watch_loop(lags))
        for done in range(1, 4):
            one.fail(SERVICES)
            await made["well"].until((2 * done - 1) * len(SERVICES))
            one.heal(SERVICES)
            await made["well"].until(2 * done * len(SERVICES))
        for name in ("hangs", "fails", "slowly"):
            await made[name].until_tried()
        assert [made[name].events for name in BROKEN] == [[]] * 4
        waiting = [one.alerter.lanes[name] for name in BROKEN]
        await until(lambda: all(lane.is_failing and lane.answer for lane in waiting))
        assert all(len(lane) == 6 * len(SERVICES) for lane in waiting)
        log = {each.receiver: each for each in await one.alerter.deliveries(1000) if each.state == "pending"}
        assert (log["fails"].answer, log["slowly"].answer) == ("HTTP 500", "HTTP 429")
        await made["refuses"].open()
        for name in BROKEN:
            made[name].mode = "ok"
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(made[name].until(6 * len(SERVICES)) for name in BROKEN))
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
        for receiver in made.values():
            assert_told_once_and_in_order(receiver, 3)
        assert max(lags) < 0.2


@pytest.mark.usefixtures("impatient")
async def test_what_waits_outlives_the_monitor(tmp_path: Path) -> None:
    async with receivers(fails="500") as made:
        for done in range(1, 4):
            async with tower(tmp_path, tables(made), SERVICES) as one:
                one.fail(SERVICES)
                one.heal(SERVICES)
                await made["fails"].until_tried(made["fails"].tries + 1)
                await until(lambda: len(one.alerter.lanes["fails"]) == 2 * done * len(SERVICES))  # noqa: B023
        made["fails"].mode = "ok"
        async with tower(tmp_path, tables(made), SERVICES):
            await made["fails"].until(6 * len(SERVICES))
        assert_told_once_and_in_order(made["fails"], 3)


async def test_what_is_being_told_when_the_monitor_stops_is_not_told_again(tmp_path: Path) -> None:
    async with receivers(slow="late") as made:
        async with tower(tmp_path, tables(made), SERVICES) as one:
            one.fail(["s0"])
            await made["slow"].until_tried()
        made["slow"].mode = "ok"
        async with tower(tmp_path, tables(made), SERVICES) as one:
            one.fail(["s1"])
            await made["slow"].until(2)
        assert [name for _, _, name in made["slow"].events] == ["s0", "s1"]


@pytest.mark.usefixtures("impatient")
async def test_what_waits_in_a_store_that_is_away_at_the_start_is_told_once_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = SystemClock().now()
    silence = Silence("s", {"service_id": "s1"}, now, now + timedelta(hours=1))
    async with receivers(one="500") as made:
        async with tower(tmp_path, tables(made), SERVICES) as one:
            one.fail(["s0"])
            await made["one"].until_tried()
            await one.alerter.quiet.silence(silence)
        remembered, asked = Store.remembered, []

        async def away(store: Store, at: datetime) -> Remembered:
            asked.append(at)
            if len(asked) < 3:
                raise StoreUnavailableError("away")
            return await remembered(store, at)

        monkeypatch.setattr(Store, "remembered", away)
        made["one"].mode = "ok"
        async with tower(tmp_path, tables(made), SERVICES) as one:
            await made["one"].until(1)
            assert one.alerter.pipeline.world.silences == {"s": silence}
            one.fail(["s2"])
            await made["one"].until(2)
        assert [name for _, _, name in made["one"].events] == ["s0", "s2"]


async def fates(one: Tower, receiver: str) -> set[tuple[str, str | None]]:
    """What the log of deliveries says of one receiver."""
    return {(each.state, each.answer) for each in await one.alerter.deliveries(100) if each.receiver == receiver}


@pytest.mark.usefixtures("impatient")
async def test_a_refusal_for_good_is_told_to_the_others_once(tmp_path: Path) -> None:
    async with receivers(well="ok", gone="404") as made, tower(tmp_path, tables(made), SERVICES) as one:
        one.fail(["s0"])
        await made["well"].until(2)
        one.fail(["s1"])
        await made["well"].until(3)
        assert [(kind, service) for _, kind, service in made["well"].events] == [
            ("ServiceDown", "s0"),
            ("SystemAlert", None),
            ("ServiceDown", "s1"),
        ]
        told = made["well"].bodies[1]
        assert (told["message"], told["data"]) == (
            "The receiver gone refused a notification for good: HTTP 404",
            {"receiver": "gone"},
        )
        await until(lambda: one.alerter.lanes["gone"].refused == 2)
        async with asyncio.timeout(PATIENCE):
            while await fates(one, "gone") != {("refused", "HTTP 404")}:  # noqa: ASYNC110 - it is stored a little later
                await asyncio.sleep(0.01)


async def test_a_thousand_services_that_fail_at_once_are_told_in_one_message_after_the_first(tmp_path: Path) -> None:
    services = [f"s{number}" for number in range(1000)]
    async with receivers(first="ok", second="ok") as made, tower(tmp_path, tables(made), services) as one:
        lags: list[float] = []
        watcher = asyncio.create_task(watch_loop(lags))
        for start in range(0, 1000, 20):  # as their results come
            one.fail(services[start : start + 20])
            await asyncio.sleep(0.01)
        await asyncio.gather(*(each.until(1000) for each in made.values()))
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
        for receiver in made.values():
            assert len(receiver.bodies) <= 3
            assert sorted(name or "" for _, _, name in receiver.events) == sorted(services)
            assert len({number for number, _, _ in receiver.events}) == 1000
        assert max(lags) < 0.2


@pytest.mark.usefixtures("impatient")
async def test_a_receiver_that_the_config_drops_is_left_alone_and_one_that_returns_is_told(tmp_path: Path) -> None:
    async with receivers(well="ok", fails="500") as made, tower(tmp_path, tables(made), SERVICES) as one:
        from fks_master.config.alerting import options_of  # noqa: PLC0415
        from fks_master.config.load import load  # noqa: PLC0415

        config = tmp_path / "monitor.toml"
        both = options_of(load(config, {}))
        config.write_text(config.read_text().replace(tables({"fails": made["fails"]}), ""))
        one.fail(["s0"])
        await made["fails"].until_tried()
        one.alerter.reconfigure(options_of(load(config, {})))
        assert list(one.alerter.lanes) == ["well"]
        one.fail(["s1"])
        await made["well"].until(2)
        made["fails"].mode = "ok"
        one.alerter.reconfigure(both)
        one.fail(["s2"])
        await made["fails"].until(2)
        assert [name for _, _, name in made["fails"].events] == ["s0", "s2"]
