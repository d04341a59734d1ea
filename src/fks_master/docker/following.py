"""A log that is followed beyond the end of its container: it goes on when that is started again or made anew.

Docker ends a stream with the container, and when the daemon itself ends. Whoever follows wants to see what comes next.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime

from fks_master.clock import Clock
from fks_master.docker.engine import Engine, LogQuery, LogStream
from fks_master.docker.lines import LogLine
from fks_master.errors import DockerError

LOOK_SECONDS = 1.0
MOST_MISSED = 10_000


class Following:
    """The lines of the container of a name, whichever has it; it ends when it is closed."""

    def __init__(self, engine: Engine, clock: Clock, name: str, first: LogStream) -> None:
        self._engine = engine
        self._clock = clock
        self._name = name
        self._lines = first
        self._since = clock.now().timestamp()
        self._last = self._seen = ""
        self._run: tuple[str, datetime | None] | None = None

    def __aiter__(self) -> AsyncIterator[LogLine]:
        return self

    async def __anext__(self) -> LogLine:
        while True:
            try:
                line = await anext(self._lines, None)
            except DockerError:
                line = None
            if line is None:
                await self._resume()
            elif not line.timestamp or line.timestamp > self._seen:
                self._last = max(self._last, line.timestamp)
                return line

    async def aclose(self) -> None:
        await self._lines.aclose()

    async def _resume(self) -> None:
        """Wait for another run of the container, however short, and go on behind the last line."""
        await self._lines.aclose()
        self._seen = self._last
        missed = LogQuery(tail=MOST_MISSED, since=self._seen_until(), is_following=True)
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            with suppress(DockerError):  # not there at present: neither the container, perhaps, nor Docker
                found = await self._engine.inspect(self._name)
                if found.is_running or self._run != (found.id, found.started_at):
                    self._run = found.id, found.started_at
                    self._lines = await self._engine.logs(self._name, missed)
                    return

    def _seen_until(self) -> float:
        """Return when the last line was written, in Unix seconds; before the first, when following began."""
        try:
            return datetime.fromisoformat(self._last[:26]).replace(tzinfo=UTC).timestamp()
        except ValueError:
            return self._since
