"""A config file that changes while we run: taken up when it is right, said and left alone when it is not."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import structlog

from fks_master.clock import Clock
from fks_master.config.schema import Config
from fks_master.errors import ConfigError
from fks_master.model import Event, EventType

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0

Stamp = tuple[int, int, int] | None


class Reloader:
    """Looks at the file once a second; `ask` (SIGHUP) makes it read at once, even if nothing seems to have changed.

    A file is read once it has been the same for two looks, so that a half-written one is not judged.
    """

    def __init__(
        self,
        config: Config,
        read: Callable[[], Config],
        apply: Callable[[Config], None],
        announce: Callable[[Event], None],
    ) -> None:
        self._config = config
        self._read = read
        self._apply = apply
        self._announce = announce
        self._stamp = _stamp(config.source)
        self._asked = asyncio.Event()

    def ask(self) -> None:
        self._asked.set()

    async def run(self, clock: Clock) -> None:
        seen = self._stamp
        while True:
            await self._wait(clock)
            before, seen = seen, _stamp(self._config.source)
            if self._asked.is_set() or (seen != self._stamp and seen == before):
                self._asked.clear()
                self._stamp = seen
                await self.reload(clock.now)

    async def _wait(self, clock: Clock) -> None:
        waiting = {asyncio.ensure_future(one) for one in (clock.sleep(LOOK_SECONDS), self._asked.wait())}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()

    async def reload(self, now: Callable[[], datetime]) -> None:
        """Read the file and hand it on; with a mistake in it, or without it, the last good one stays."""
        try:
            fresh = await asyncio.to_thread(self._reread)
        except ConfigError as error:
            log.error("config_rejected", mistakes=error.mistakes)  # noqa: TRY400 - the mistakes say it, not our stack
            self._announce(_rejected(error, now()))
            return
        running = _read_at_start(self._config)
        later = [name for name, setting in _read_at_start(fresh).items() if setting != running[name]]
        if later:
            log.warning("takes_effect_after_a_restart", sections=later)
        self._announce(_reloaded(self._config, fresh, later, now()))
        self._config = fresh
        self._apply(fresh)
        log.info("config_reloaded", services=len(fresh.services))

    def _reread(self) -> Config:
        """Read the file; one that is gone does not mean that the built-in services are wanted."""
        fresh = self._read()
        if fresh.source is None and self._config.source is not None:
            raise ConfigError(str(self._config.source), ["no such file"])
        return fresh


def _read_at_start(config: Config) -> dict[str, object]:
    """Return what is not read again while we run."""
    return {
        "server.trusted_proxies": config.server.trusted_proxies,
        "compose": config.compose,
        "history": config.history,
        "control": config.control,
    }


def _rejected(error: ConfigError, at: datetime) -> Event:
    message = f"{error.source} was changed but holds mistakes; the configuration before it stays"
    return Event(EventType.SYSTEM_ALERT, message, at, data={"mistakes": error.mistakes[:20]})


def _reloaded(before: Config, after: Config, later: list[str], at: datetime) -> Event:
    old = {service.id: service for service in before.services}
    new = {service.id: service for service in after.services}
    data: dict[str, object] = {
        "added": sorted(new.keys() - old.keys()),
        "removed": sorted(old.keys() - new.keys()),
        "changed": sorted(name for name in new.keys() & old.keys() if new[name] != old[name]),
        "after_restart": later,
    }
    return Event(EventType.CONFIG_RELOADED, f"The configuration was reloaded: {len(new)} services", at, data=data)


def _stamp(source: Path | None) -> Stamp:
    try:
        found = source.stat() if source else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None
