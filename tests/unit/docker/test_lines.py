import asyncio

import pytest

from fks_master.docker.lines import LONGEST_LINE, LogLine, clean, framed_lines, raw_lines


def frame(stream: int, data: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4) + data


def reader(data: bytes) -> asyncio.StreamReader:
    content = asyncio.StreamReader()
    content.feed_data(data)
    content.feed_eof()
    return content


async def test_frames_become_lines_of_their_streams() -> None:
    data = frame(1, b"2026-01-01T00:00:01.5Z a\n2026-01-01T00:00:02Z b") + frame(2, b"2026-01-01T00:00:03Z bad\r\n")
    data += frame(1, b"c\n") + frame(1, b"2026-01-01T00:00:04Z rest")
    found = [line async for line in framed_lines(reader(data))]
    assert found == [
        LogLine("2026-01-01T00:00:01.5Z", "stdout", "a"),
        LogLine("2026-01-01T00:00:03Z", "stderr", "bad"),
        LogLine("2026-01-01T00:00:02Z", "stdout", "bc"),
        LogLine("2026-01-01T00:00:04Z", "stdout", "rest"),
    ]


async def test_a_frame_that_is_cut_off_ends_the_lines() -> None:
    found = [line async for line in framed_lines(reader(frame(1, b"2026-01-01T00:00:01Z a\n") + b"\x01\x00"))]
    assert [line.text for line in found] == ["a"]


async def test_a_terminal_has_no_frames() -> None:
    found = [line async for line in raw_lines(reader(b"2026-01-01T00:00:01Z \x1b[31mred\x1b[0m\r\nno time"))]
    assert found == [
        LogLine("2026-01-01T00:00:01Z", "stdout", "\x1b[31mred\x1b[0m"),
        LogLine("", "stdout", "no time"),
    ]


async def test_a_line_without_end_is_cut_and_memory_stays_bounded() -> None:
    data = b"".join(frame(1, b"x" * 50_000) for _ in range(10))
    found = [line async for line in framed_lines(reader(data))]
    assert len(found) > 3
    assert max(len(line.text) for line in found) <= LONGEST_LINE + 64


@pytest.mark.parametrize(
    ("dirty", "coloured", "plain"),
    [
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m", "red"),
        ("a\x1b[2Jb\x1b[10;3Hc", "abc", "abc"),
        ("\x1b]0;title\x07x\x1b]8;;http://evil\x1b\\y", "xy", "xy"),
        ("tab\tbell\x07\x9b31m\x00", "tab\tbell31m", "tab\tbell31m"),
        ("\x1bPq#0\x1b\\z\x1bc", "z", "z"),
    ],
)
def test_only_colours_are_left_of_what_steers_a_terminal(dirty: str, coloured: str, plain: str) -> None:
    assert clean(dirty) == coloured
    assert clean(dirty, has_colours=False) == plain
