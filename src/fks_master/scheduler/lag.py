"""Notices that this process itself was held up: stopped, starved, or its loop blocked."""

from collections.abc import Callable

from fks_master.clock import Clock

TICK_SECONDS = 0.25
LAG_SECONDS = 1.0


class LagWatch:
    """Knows when the last pause ended. Whoever wakes first after a pause finds it, by calling `look`."""

    def __init__(self, clock: Clock, on_pause: Callable[[float], None]) -> None:
        self._clock = clock
        self._on_pause = on_pause
        self._ticked_at: float | None = None
        self._paused_until = float("-inf")
        self.lag_seconds = 0.0

    def look(self) -> None:
        """Compare now with the last tick; a pause is told once."""
        if self._ticked_at is None:
            return
        now = self._clock.monotonic()
        late = now - self._ticked_at - TICK_SECONDS
        if late > LAG_SECONDS:
            self._ticked_at = self._paused_until = now
            self.lag_seconds = late
            self._on_pause(late)

    def has_paused_since(self, moment: float) -> bool:
        self.look()
        return self._paused_until >= moment

    async def run(self) -> None:
        while True:
            self._ticked_at = before = self._clock.monotonic()
            await self._clock.sleep(TICK_SECONDS)
            self.lag_seconds = max(0.0, self._clock.monotonic() - before - TICK_SECONDS)
            self.look()
