"""Targets in a thread of their own, with a ledger of who was asked when: they go on while the program stands still."""

import asyncio
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.servers import answer, quietly

UNHURRIED = "expected_response_time_ms = 10000"


class Ledger:
    """One server for all; the path names the service.

    While `is_silent` it accepts and says nothing; otherwise it answers after `answers_after` seconds. `most` is how
    many were under way at once.
    """

    def __init__(self) -> None:
        self.entries: list[tuple[float, str]] = []
        self.is_silent = threading.Event()
        self.answers_after = 0.0
        self.address = ""
        self.under_way = self.most = 0

    def service(self, name: str) -> str:
        """Write the table of a service; that a busy machine is slow to answer does not count."""
        return f'[[services]]\nid = "{name}"\nhealth_endpoint = "{self.address}/{name}"\n{UNHURRIED}\n'

    def moments(self, name: str) -> list[float]:
        return [at for at, each in self.entries if each == name]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self._answer(reader, writer)
        finally:
            self.under_way -= 1

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.entries.append((time.monotonic(), head.split(b" ")[1].decode().strip("/")))
        if self.is_silent.is_set():
            await reader.read()
            return
        await asyncio.sleep(self.answers_after)
        writer.write(answer())
        await writer.drain()


@contextmanager
def ledger() -> Iterator[Ledger]:
    """Serve until the block ends."""
    one, ready, loop, done = Ledger(), threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        server = await asyncio.start_server(quietly(one.handle), "127.0.0.1", 0, backlog=2048)
        one.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await done.wait()
        server.close()

    def run() -> None:
        loop.run_until_complete(serve())
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with_errors = asyncio.gather(task, return_exceptions=True)
            loop.run_until_complete(with_errors)
        loop.close()

    thread = threading.Thread(target=run, name="ledger")
    thread.start()
    ready.wait(20)
    try:
        yield one
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(20)


def busiest(moments: Sequence[float], window: float) -> int:
    """Give the most moments that any window of so many seconds holds."""
    ordered = sorted(moments)
    return max((bisect_left(ordered, at + window) - index for index, at in enumerate(ordered)), default=0)
