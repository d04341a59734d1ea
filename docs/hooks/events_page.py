"""Every event."""

from config_page import meaning
from tables import code, table

from fks_master.model import EventType

HEAD = """# Events

Facts about the past, numbered: in `GET /api/events`, as `{"type":"event",…}` of `/ws`, and, where people are to hear of them, in
[alerts](../alerts.md). Each has `event_type`, `service_id`, `message`, `timestamp`, `id` and `data`.

"""


def write() -> str:
    return HEAD + table(["event", "when"], ([code(each.value), meaning("events", each.value)] for each in EventType))
