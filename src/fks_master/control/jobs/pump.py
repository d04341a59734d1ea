"""Moves a process' output from its pipes to the spool, in a thread of its own.

A process that prints without end, or a disk that is slow, costs the event loop nothing but one wake-up a batch.
"""

import asyncio
import os
import select
import threading
from collections import deque
from collections.abc import Callable

from fks_master.control.jobs.spool import Spool

READ_BYTES = 1 << 16
HEAD_BYTES = 64 << 10
TAIL_BYTES = 192 << 10
CUT = b"\n[... %d bytes not shown ...]\n"


class Excerpt:
    """The beginning and the end of one stream."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self._dropped = 0

    def add(self, data: bytes) -> None:
        room = HEAD_BYTES - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        if data:
            self._tail.append(data)
            self._tail_bytes += len(data)
            self._drop()

    def _drop(self) -> None:
        while self._tail_bytes - len(self._tail[0]) >= TAIL_BYTES:
            self._tail_bytes -= len(self._tail[0])
            self._dropped += len(self._tail.popleft())
        if len(self._tail) > TAIL_BYTES // 1024:  # many short pieces cost more than their bytes
            self._tail = deque([b"".join(self._tail)])

    def text(self) -> str:
        cut = CUT % self._dropped if self._dropped else b""
        return b"".join([self._head, cut, *self._tail]).decode("utf-8", "replace")


class Pump:
    """Reads both streams until they end or `stop` is called; `notify` is called on the loop after new output."""

    def __init__(self, spool: Spool, notify: Callable[[], None]) -> None:
        self.stdout, self.stderr = Excerpt(), Excerpt()
        self._spool = spool
        self._notify = notify
        self._loop = asyncio.get_running_loop()
        self._is_notified = False
        self._ended = asyncio.Event()
        out, self.write_out = os.pipe()
        err, self.write_err = os.pipe()
        self._stop_read, self._stop_write = os.pipe()
        self._streams = {out: self.stdout, err: self.stderr}
        threading.Thread(target=self._run, name="job output", daemon=True).start()

    def close_ours(self) -> None:
        """Close our copies of the ends that the process writes to, so that the streams can end."""
        for descriptor in (self.write_out, self.write_err):
            os.close(descriptor)

    async def drain(self, seconds: float) -> None:
        """Wait for the end of the streams; one that a runaway child holds open is let go after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            os.write(self._stop_write, b"x")
            await self._ended.wait()
        os.close(self._stop_write)

    def _run(self) -> None:
        poller = select.poll()
        for descriptor in (*self._streams, self._stop_read):
            poller.register(descriptor, select.POLLIN)
        open_streams = set(self._streams)
        is_stopped = False
        while open_streams and not is_stopped:
            for descriptor, _ in poller.poll():
                is_stopped = is_stopped or descriptor == self._stop_read
                if descriptor in open_streams and not self._move(descriptor):
                    poller.unregister(descriptor)
                    open_streams.discard(descriptor)
        for descriptor in (*self._streams, self._stop_read):
            os.close(descriptor)
        self._spool.close()
        self._call(self._ended.set)

    def _move(self, descriptor: int) -> bool:
        """Take one piece; False at the end of the stream."""
        data = os.read(descriptor, READ_BYTES)
        if data:
            self._streams[descriptor].add(data)
            self._spool.append(data)
            if not self._is_notified:
                self._is_notified = True
                self._call(self._tell)
        return bool(data)

    def _tell(self) -> None:
        self._is_notified = False
        self._notify()

    def _call(self, function: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:  # the loop is gone; nobody waits any more
            self._is_notified = True
