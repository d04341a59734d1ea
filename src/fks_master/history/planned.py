"""When which service was in planned maintenance: noted as it happens, so that it stays true when plans change.

Looked at once a second; a period is written when it begins, every minute, and when it ends.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from fks_master.clock import Clock
from fks_master.history.recorder import SQL
from fks_master.history.uptime import Piece
from fks_master.model import Change
from fks_master.storage import Database, Statement
from fks_master.storage.database import to_ms

LOOK_SECONDS = 1.0
WRITE_MS = 60_000
LONGEST_MS = 30_000


def nobody(_: datetime) -> Collection[str]:
    """Stand in where nothing is ever planned."""
    return ()


class Planned:
    """Contributes to the journal. `active` names the services that are in maintenance at a moment."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._open: dict[str, Piece] = {}
        self._written: dict[str, Piece] = {}
        self._ended: list[tuple[str, Piece]] = []
        self._on_the_way: list[tuple[str, Piece]] = []
        self.active: Callable[[datetime], Collection[str]] = nobody

    async def run(self) -> None:
        while True:
            self.look()
            await self._clock.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Prolong what lasts, begin what is new, end what is over."""
        now = self._clock.now()
        now_ms, active = to_ms(now), self.active(now)
        for name in [name for name in self._open if name not in active]:
            started, seen = self._open.pop(name)
            ended = now_ms if seen <= now_ms <= seen + LONGEST_MS else seen
            self._ended.append((name, (started, ended)))
        for name in active:
            started, seen = self._open.get(name, (now_ms, now_ms))
            if not seen <= now_ms <= seen + LONGEST_MS:
                self._ended.append((name, (started, seen)))
                started = now_ms
            self._open[name] = (started, now_ms)

    async def of(self, service_id: str | None, since_ms: int, until_ms: int) -> Mapping[str, Sequence[Piece]]:
        """Give the periods that touch the range, by service; None: of all."""
        some = {"any_service": int(service_id is None), "service_id": service_id or ""}
        rows = await self._database.fetch(SQL["maintenance"], since_ms=since_ms, until_ms=until_ms, **some)
        found: dict[str, dict[int, Piece]] = {}
        for row in rows:
            found.setdefault(row["service_id"], {})[row["started_ms"]] = (row["started_ms"], row["ended_ms"])
        for name, piece in (*self._on_the_way, *self._ended, *self._open.items()):
            if service_id in {None, name}:
                found.setdefault(name, {})[piece[0]] = piece
        return {name: list(pieces.values()) for name, pieces in found.items()}

    def begin_afresh(self) -> None:
        """Hear that the store is a new, empty one."""
        self._written.clear()

    def record(self, change: Change) -> Sequence[Statement]:
        del change
        return ()

    def drain(self, *, everything: bool = False) -> Sequence[Statement]:
        due = [(name, piece) for name, piece in self._open.items() if everything or self._is_due(name, piece)]
        self._on_the_way, self._ended = [*self._ended, *due], []
        rows = [(name, *piece) for name, piece in self._on_the_way]
        return [SQL["store_maintenance"].many(rows)] if rows else []

    def settle(self, *, is_written: bool) -> None:
        gone, self._on_the_way = self._on_the_way, []
        if is_written:
            self._written.update(gone)
            return
        self._ended = [*(each for each in gone if self._open.get(each[0], (0, 0))[0] != each[1][0]), *self._ended]

    def _is_due(self, name: str, piece: Piece) -> bool:
        started, written = self._written.get(name, (0, 0))
        return started != piece[0] or piece[1] - written >= WRITE_MS
