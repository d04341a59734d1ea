"""The dead man's switch: calls an address while checks make progress, so that somebody else notices our end."""

from collections.abc import Callable
from typing import Protocol

import structlog

from fks_master.alerts.notify import Answer, Message, Request, Verdict
from fks_master.clock import Clock
from fks_master.model import Family

log = structlog.get_logger(__name__)

NAME = "heartbeat"


class Sends(Protocol):
    """What carries a message."""

    async def send(self, receiver: str, message: Message) -> Answer: ...


class Beacon:
    """Calls `url` every `seconds`; an empty address is never called. They may be changed while it runs."""

    def __init__(self, sender: Sends, is_progressing: Callable[[], bool], clock: Clock) -> None:
        self.url = ""
        self.method = "GET"
        self.seconds = 60.0
        self._sender = sender
        self._is_progressing = is_progressing
        self._clock = clock
        self._is_silent = False
        self.taken = self.failed = self.withheld = 0

    async def run(self) -> None:
        while True:
            if self.url:
                await self._call()
            await self._clock.sleep(self.seconds)

    def families(self) -> list[Family]:
        counts = {"taken": self.taken, "failed": self.failed, "withheld": self.withheld}
        samples = tuple(({"result": result}, float(count)) for result, count in counts.items())
        text = "Calls of the dead man's switch; withheld while checks make no progress."
        return [Family("fks_monitor_heartbeats_total", "counter", text, samples)]

    async def _call(self) -> None:
        if not self._is_progressing():
            self.withheld += 1
            self._say("checks make no progress")
            return
        answer = await self._sender.send(NAME, Request(self.url, method=self.method))
        is_taken = answer.verdict is Verdict.SENT
        self.taken += is_taken
        self.failed += not is_taken
        self._say(None if is_taken else answer.text)

    def _say(self, trouble: str | None) -> None:
        """Log the flip, not every call."""
        if trouble and not self._is_silent:
            log.warning("heartbeat_not_sent", reason=trouble)
        elif self._is_silent and not trouble:
            log.info("heartbeat_sent_again")
        self._is_silent = trouble is not None
