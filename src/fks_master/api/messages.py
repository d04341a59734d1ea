"""What the live feed says, each thing put into words once, however many clients hear it."""

from collections import OrderedDict
from typing import TypeVar

import msgspec

from fks_master.api.view import View
from fks_master.model import Event

MOST_KEPT = 256
UPDATE_AGE_SECONDS = 1.0

Key = TypeVar("Key")
Value = TypeVar("Value")

encode = msgspec.json.encode


class Messages:
    """Text for the feed. What it returns may be shared: it is never changed."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._events: OrderedDict[tuple[int, bool], str] = OrderedDict()
        self._changes: OrderedDict[str, tuple[object, str]] = OrderedDict()
        self._update = ""
        self._updated_at = float("-inf")

    def initial(self) -> str:
        """Say everything, as it is now: whoever subscribed before misses nothing."""
        return self._snapshot({"type": "initial"})

    def update(self) -> str:
        """Say everything, as it was at most a second ago."""
        now = self._view.clock.monotonic()
        if now - self._updated_at > UPDATE_AGE_SECONDS:
            self._update = self._snapshot({"type": "update", "timestamp": self._view.clock.now()})
            self._updated_at = now
        return self._update

    def change(self, service_id: str) -> str | None:
        """Say what the last check changed; None for a service that is no longer watched."""
        state = self._view.state(service_id)
        if state is None:
            return None
        known = self._changes.get(service_id)
        if known is not None and known[0] is state:
            return known[1]
        text = encode(self._view.change(service_id)).decode()
        _keep(self._changes, service_id, (state, text))
        return text

    def event(self, event: Event, *, is_flat: bool) -> str:
        """Tell an event: nested, and flat as well for clients that read it so."""
        key = (event.id, is_flat)
        text = self._events.get(key)
        if text is None:
            fields = msgspec.to_builtins(event)
            text = encode({"type": "event", "event": fields, **(fields if is_flat else {})}).decode()
            _keep(self._events, key, text)
        return text

    def _snapshot(self, head: dict[str, object]) -> str:
        services, metrics = msgspec.Raw(self._view.services()), self._view.system(self._view.statuses())
        return encode({**head, "services": services, "metrics": metrics}).decode()


def _keep(kept: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > MOST_KEPT:
        kept.popitem(last=False)
