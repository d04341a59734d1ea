import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from fks_master.clock import SystemClock
from fks_master.config.load import load
from fks_master.config.reload import Reloader
from fks_master.config.schema import Config
from fks_master.model import Event, EventType

ONE = '[[services]]\nid = "{}"\nhealth_endpoint = "http://one/"\n'


class Slow(SystemClock):
    """A clock on which nothing ever becomes due."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


class Stage:
    """A reloader over a file, with what it applied and announced."""

    def __init__(self, path: Path, read: Callable[[], Config]) -> None:
        self.path = path
        self.applied: list[Config] = []
        self.events: list[Event] = []
        self._said = asyncio.Event()
        self.reloader = Reloader(read(), read, self.applied.append, self._hear)

    def _hear(self, event: Event) -> None:
        self.events.append(event)
        self._said.set()

    async def ask(self, text: str | None) -> Event:
        if text is None:
            self.path.unlink()
        else:
            self.path.write_text(text)
        self._said.clear()
        self.reloader.ask()
        running = asyncio.create_task(self.reloader.run(Slow()))
        try:
            async with asyncio.timeout(20):
                await self._said.wait()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        return self.events[-1]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.chdir(tmp_path)
    path = Path("config", "monitor.toml")
    path.parent.mkdir()
    path.write_text(ONE.format("one"))
    return Stage(path, lambda: load(None, {}))


async def test_who_asks_is_not_kept_waiting_and_told_what_has_changed(stage: Stage) -> None:
    event = await stage.ask(ONE.format("one") + "critical = true\n" + ONE.format("two"))
    assert event.event_type is EventType.CONFIG_RELOADED
    assert (event.data["added"], event.data["changed"], event.data["removed"]) == (["two"], ["one"], [])
    assert [one.id for one in stage.applied[-1].services] == ["one", "two"]


async def test_what_needs_a_restart_is_named(stage: Stage) -> None:
    event = await stage.ask("[history]\nenabled = false\n" + ONE.format("one"))
    assert event.data["after_restart"] == ["history"]
    server = '[server]\npublic_read = false\nallowed_hosts = ["ops.example"]\n'
    assert (await stage.ask(server + ONE.format("one"))).data["after_restart"] == ["history"], "back again"
    proxies = server + 'trusted_proxies = ["10.0.0.1"]\n'
    assert (await stage.ask(proxies + ONE.format("one"))).data["after_restart"] == ["server.trusted_proxies"]


@pytest.mark.parametrize(("text", "mistake"), [("x = 1\n", "unknown key"), (None, "no such file")])
async def test_with_a_mistake_or_without_the_file_the_last_good_one_stays(
    stage: Stage, text: str | None, mistake: str
) -> None:
    event = await stage.ask(text)
    assert event.event_type is EventType.SYSTEM_ALERT
    assert mistake in str(event.data["mistakes"])
    assert stage.applied == []
    assert (await stage.ask(ONE.format("two"))).event_type is EventType.CONFIG_RELOADED
