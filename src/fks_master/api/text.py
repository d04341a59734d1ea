"""Output of jobs as text: a character that two pieces share is held back until it is whole."""

import codecs
from collections.abc import AsyncIterator

from fks_master.control.jobs.job import Chunk


async def decoded(chunks: AsyncIterator[Chunk]) -> AsyncIterator[tuple[int, str]]:
    """Yield each piece with the offset in bytes at which it begins."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    expected = -1
    async for chunk in chunks:
        if chunk.offset != expected:
            decoder.reset()
        expected = chunk.offset + len(chunk.data)
        held = len(decoder.getstate()[0])
        text = decoder.decode(chunk.data)
        if text:
            yield chunk.offset - held, text
