"""The lines of `GET /api/services`, each encoded once for each state that it shows."""

from typing import NamedTuple

import msgspec

from fks_master.api.schemas import ServiceStatus, service_status
from fks_master.clock import Clock
from fks_master.hub import Hub
from fks_master.model import Service, State

UPTIME = b'"uptime_seconds":'  # in a text of JSON it can only be the key: quotes inside strings are escaped


class _Line(NamedTuple):
    """A line for one state, without its uptime, which passes by itself. `up_since` is a Unix time."""

    service: Service
    state: State
    head: bytes
    tail: bytes
    up_since: float | None


class Lines:
    """Writes what a check left as it was from memory."""

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self._hub = hub
        self._clock = clock
        self._known: dict[str, _Line] = {}

    def write(self) -> bytes:
        """Give the whole list as JSON."""
        now = self._clock.now().timestamp()
        services, states = self._hub.services, self._hub.states
        if len(self._known) > 2 * len(services) + 100:
            self._known = {key: line for key, line in self._known.items() if key in services}
        written = []
        for service_id, service in services.items():
            line, state = self._known.get(service_id), states[service_id]
            if line is None or line.state is not state or line.service is not service:
                line = self._known[service_id] = self._encode(service, state)
            uptime = 0 if line.up_since is None else max(0, int(now - line.up_since))
            written.append(b"%b%d%b" % (line.head, uptime, line.tail))
        return b"[" + b",".join(written) + b"]"

    def _encode(self, service: Service, state: State) -> _Line:
        status: ServiceStatus = service_status(service, state, self._clock.now())
        text = msgspec.json.encode(msgspec.structs.replace(status, uptime_seconds=0))
        head, key, tail = text.partition(UPTIME)
        up_since = state.up_since.timestamp() if state.up_since else None
        return _Line(service, state, head + key, tail[1:], up_since)
