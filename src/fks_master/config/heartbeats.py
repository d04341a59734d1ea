"""What must fit in the services that report themselves: each has a token of its own, and a time at which it is due."""

from collections.abc import Iterable, Iterator

from fks_master.config import formats
from fks_master.config.receivers import HIDDEN, file_mistakes
from fks_master.config.schema import Entry, HeartbeatEntry


def find_mistakes(services: Iterable[Entry]) -> Iterator[str]:
    """Look at services that have the right shape."""
    seen: dict[str, int] = {}
    for index, entry in enumerate(services):
        path = f"services[{index}].heartbeat"
        if entry.health_endpoint != formats.HEARTBEAT:
            if entry.heartbeat != HeartbeatEntry():
                yield f"{path}: only for services whose health_endpoint is {formats.HEARTBEAT}"
            continue
        mistakes = list(_mistakes(path, entry.heartbeat))
        yield from mistakes
        if not mistakes and (first := seen.setdefault(entry.heartbeat.secret, index)) != index:
            yield f"{path}.token: services[{first}] has the same one"


def _mistakes(path: str, heartbeat: HeartbeatEntry) -> Iterator[str]:
    if (heartbeat.period_seconds is None) == (heartbeat.cron is None):
        yield f"{path}: expected either period_seconds or cron"
    if bool(heartbeat.token) == bool(heartbeat.token_file):
        yield f"{path}: expected either token or token_file"
        return
    unreadable = list(file_mistakes(path, heartbeat, "token_file"))
    yield from unreadable
    if not unreadable and (expected := formats.heartbeat_token(heartbeat.secret)):
        yield f"{path}.token_file: found {HIDDEN}, expected {expected}"
