"""From the bytes of `/containers/{id}/logs` to lines.

Without a terminal Docker frames them: stream (1 stdout, 2 stderr), three zeros, the length as four bytes, big end
first. Source: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Protocol

import msgspec

HEADER_BYTES = 8
LONGEST_LINE = 64 * 1024
STREAMS = {1: "stdout", 2: "stderr"}
COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
# Sequences of a terminal, then single controls; a tab stays.
CONTROL = re.compile(
    r"(\x1b\[[0-9;:]*m)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b.|[\x00-\x08\x0a-\x1f\x7f-\x9f]"
)


class Content(Protocol):
    """The body of an answer: asyncio's reader, or aiohttp's."""

    async def read(self, n: int, /) -> bytes: ...

    async def readexactly(self, n: int, /) -> bytes: ...


class LogLine(msgspec.Struct, frozen=True):
    """One line; `timestamp` is Docker's, RFC 3339 to the nanosecond, so that texts sort as times do."""

    timestamp: str
    stream: str
    text: str


def clean(text: str, *, has_colours: bool = True) -> str:
    """Drop what steers a terminal; colours only if asked to."""
    kept = CONTROL.sub(lambda found: found[1] or "", text)
    return kept if has_colours else COLOUR.sub("", kept)


class Splitter:
    """Cuts what comes in pieces into lines, one instance a stream."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._rest = b""

    def feed(self, data: bytes) -> list[LogLine]:
        *whole, rest = (self._rest + data).split(b"\n")
        if len(rest) > LONGEST_LINE:
            whole, rest = [*whole, rest], b""
        self._rest = rest
        return [self._line(one) for one in whole]

    def end(self) -> list[LogLine]:
        rest, self._rest = self._rest, b""
        return [self._line(rest)] if rest else []

    def _line(self, data: bytes) -> LogLine:
        text = data[: LONGEST_LINE + 64].decode("utf-8", "replace").rstrip("\r")
        timestamp, _, rest = text.partition(" ")
        return LogLine(timestamp, self._stream, rest) if timestamp[:4].isdigit() else LogLine("", self._stream, text)


async def raw_lines(content: Content) -> AsyncGenerator[LogLine]:
    """Read the output of a container that has a terminal."""
    splitter = Splitter("stdout")
    while data := await content.read(LONGEST_LINE):
        for line in splitter.feed(data):
            yield line
    for line in splitter.end():
        yield line


async def framed_lines(content: Content) -> AsyncGenerator[LogLine]:
    """Read the output of a container without one; a frame is read in parts, whatever length it claims."""
    splitters = {number: Splitter(name) for number, name in STREAMS.items()}
    with suppress(asyncio.IncompleteReadError):
        while header := await content.readexactly(HEADER_BYTES):
            splitter, left = splitters.get(header[0], splitters[1]), int.from_bytes(header[4:])
            while left:
                data = await content.readexactly(min(left, LONGEST_LINE))
                left -= len(data)
                for line in splitter.feed(data):
                    yield line
    for splitter in splitters.values():
        for line in splitter.end():
            yield line
