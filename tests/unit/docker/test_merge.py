import asyncio
from collections.abc import AsyncIterator

import pytest

from fks_master.docker.lines import LogLine
from fks_master.docker.merge import MOST_AHEAD, merge
from fks_master.errors import DockerError

PATIENCE = 0.05


async def lines(*timestamps: str) -> AsyncIterator[LogLine]:
    for timestamp in timestamps:
        yield LogLine(timestamp, "stdout", timestamp)


async def test_lines_are_merged_by_time() -> None:
    found = [(name, line.text) async for name, line in merge([("a", lines("1", "4")), ("b", lines("2", "3"))], None)]
    assert found == [("a", "1"), ("b", "2"), ("b", "3"), ("a", "4")]
    assert [each async for each in merge([], None)] == []


async def test_a_silent_stream_holds_up_nobody_and_is_closed() -> None:
    is_closed = asyncio.Event()

    async def silent() -> AsyncIterator[LogLine]:
        try:
            await asyncio.Event().wait()
            yield LogLine("0", "stdout", "never")
        finally:
            is_closed.set()

    merged = merge([("silent", silent()), ("b", lines("1", "2"))], 0.01)
    assert [(await anext(merged))[1].text for _ in range(2)] == ["1", "2"]
    await merged.aclose()
    assert is_closed.is_set()


async def silent() -> AsyncIterator[LogLine]:
    await asyncio.Event().wait()
    yield LogLine("0", "stdout", "never")


async def test_beside_a_silent_stream_two_that_write_are_as_fast_as_they_write() -> None:
    """Each line waited once for the silent one: four a second."""
    odd, even = (tuple(f"{number:05}" for number in range(first, 4 * MOST_AHEAD, 2)) for first in (1, 0))
    merged = merge([("silent", silent()), ("odd", lines(*odd)), ("even", lines(*even))], PATIENCE)
    async with asyncio.timeout(20):
        found = [(await anext(merged))[1].text for _ in range(4 * MOST_AHEAD)]
    assert found == sorted((*odd, *even)), "and in order"
    await merged.aclose()


async def test_a_line_that_comes_within_the_patience_still_gets_before_a_later_one() -> None:
    is_begun = asyncio.Event()

    async def slow() -> AsyncIterator[LogLine]:
        await is_begun.wait()
        yield LogLine("1", "stdout", "1")

    merged = merge([("a", lines("2")), ("slow", slow())], 20.0)
    first = asyncio.ensure_future(anext(merged))
    is_begun.set()
    assert [(await first)[1].text, (await anext(merged))[1].text] == ["1", "2"]
    assert [each async for each in merged] == []


@pytest.mark.parametrize("patience", [None, PATIENCE])
async def test_what_breaks_one_stream_is_told_after_its_lines(patience: float | None) -> None:
    async def breaking() -> AsyncIterator[LogLine]:
        yield LogLine("1", "stdout", "1")
        raise DockerError("gone")

    merged = merge([("a", breaking()), ("b", lines("2"))], patience)
    assert [(await anext(merged))[1].text for _ in range(2)] == ["1", "2"]
    with pytest.raises(DockerError, match="gone"):
        await anext(merged)
