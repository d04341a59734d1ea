"""What people mute: silences, and maintenance that they plan while we run."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from fks_master.alerts import store as rows
from fks_master.alerts.silences import Silence, Window
from fks_master.alerts.world import World
from fks_master.storage import Statement

Keep = Callable[[Statement], Awaitable[None]]


class Quiet:
    """Changes what the world mutes, and has it kept."""

    def __init__(self, world: World, keep: Keep) -> None:
        self._world = world
        self._keep = keep

    def lasting(self, now: datetime) -> list[Silence]:
        """Give the silences that have not ended, and forget the others; the first to end comes first."""
        silences = self._world.silences
        for ended in [one.id for one in silences.values() if one.ends <= now]:
            del silences[ended]
        return sorted(silences.values(), key=lambda one: one.ends)

    def planned(self, now: datetime) -> list[Window]:
        """Give the planned windows that have not ended, and forget the others; the first to begin comes first."""
        known = self._world.planned
        for ended in [one.id for one in known.values() if one.ends is not None and one.ends <= now]:
            del known[ended]
        return sorted(known.values(), key=lambda one: one.begins or now)

    async def silence(self, silence: Silence) -> None:
        self._world.silences[silence.id] = silence
        await self._keep(rows.silence_statement(silence))

    async def lift(self, silence_id: str) -> bool:
        """End a silence now."""
        is_known = self._world.silences.pop(silence_id, None) is not None
        if is_known:
            await self._keep(rows.forgotten_silence(silence_id))
        return is_known

    async def plan(self, window: Window) -> None:
        self._world.planned[window.id] = window
        await self._keep(rows.window_statement(window))

    async def cancel(self, window_id: str) -> bool:
        """End a planned window now, or call it off."""
        is_known = self._world.planned.pop(window_id, None) is not None
        if is_known:
            await self._keep(rows.forgotten_silence(window_id))
        return is_known
