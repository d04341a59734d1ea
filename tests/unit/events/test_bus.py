import asyncio

from fks_master.events.bus import Bus


async def test_who_waits_gets_everything_that_was_published_meanwhile() -> None:
    bus: Bus[int] = Bus()
    with bus.subscribe() as one:
        waiting = asyncio.create_task(one.take_all())
        await asyncio.sleep(0)
        assert not waiting.done()
        bus.publish(1)
        bus.publish(2)
        assert await waiting == [1, 2]
        assert one.take() == []


def test_a_slow_reader_loses_its_own_and_is_told_to_begin_anew() -> None:
    bus: Bus[int] = Bus()
    with bus.subscribe(capacity=3) as slow, bus.subscribe() as quick:
        for number in range(5):
            bus.publish(number)
        assert (slow.take(), slow.lost, slow.must_resync) == ([3, 4], 3, True)
        assert (quick.take(), quick.lost, quick.must_resync) == ([0, 1, 2, 3, 4], 0, False)


def test_who_has_left_is_published_to_no_more() -> None:
    bus: Bus[int] = Bus()
    with bus.subscribe() as one:
        assert len(bus) == 1
    bus.publish(1)
    assert (len(bus), one.take()) == (0, [])
