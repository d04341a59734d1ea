"""Templates without code: `{field}` is replaced by a value that is escaped for where it stands, nothing more.

`{events}` gives the whole JSON list of what is told; it stands outside of quotes.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus

import msgspec

FIELDS = (
    "id", "thread", "event_type", "service_id", "service_name", "message", "timestamp", "severity", "critical",
    "status", "cause", "count", "title", "text", "link", "events",
)  # fmt: skip
LIST = "events"
_PLACE = re.compile(r"\{([a-z_]+(?:\.[A-Za-z0-9_]+)?)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")

Escape = Callable[[str], str]


def find_mistake(text: str) -> str | None:
    """Say what was expected of a template whose field is not known."""
    for name in _PLACE.findall(text):
        if name not in FIELDS and not name.startswith("data."):
            near = difflib.get_close_matches(name, FIELDS, n=1)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            return f"only known fields in braces, not {{{name}}}: {', '.join(FIELDS)} or data.NAME{hint}"
    return None


def shows_all(text: str) -> bool:
    """Whether a template tells of every event, and not only of the gravest."""
    return not {LIST, "text"}.isdisjoint(_PLACE.findall(text))


def fill(text: str, values: Mapping[str, Any], escape: Escape) -> str:
    """Replace each field; one that is not there leaves nothing."""
    return _PLACE.sub(lambda match: _value(match[1], values, escape), text)


def _value(name: str, values: Mapping[str, Any], escape: Escape) -> str:
    if name == LIST:
        found: str = values[LIST]
        return found
    value = values["data"].get(name.removeprefix("data.")) if name.startswith("data.") else values.get(name)
    return escape(_words(value))


def _words(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode().strip('"')


def for_json(text: str) -> str:
    """Escape for the inside of a JSON string."""
    return msgspec.json.encode(text).decode()[1:-1]


def for_header(text: str) -> str:
    """Keep a value from ending the header that it stands in."""
    return _CONTROL.sub(" ", text).encode("latin-1", "replace").decode("latin-1")


def escape_for(content_type: str) -> Escape:
    kind = content_type.partition(";")[0].strip()
    if kind.endswith("json"):
        return for_json
    if kind == "application/x-www-form-urlencoded":
        return quote_plus
    if kind.endswith(("xml", "html")):
        return _for_markup
    return lambda text: text


def _for_markup(text: str) -> str:
    escapes = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
    return "".join(escapes.get(one, one) for one in text)


def is_json(text: str, content_type: str) -> bool:
    """Whether a template for JSON gives JSON."""
    if not content_type.partition(";")[0].strip().endswith("json"):
        return True
    sample = dict.fromkeys(FIELDS, "x") | {"count": 1, "critical": True, "data": {}, LIST: "[]"}
    try:
        msgspec.json.decode(fill(text, sample, for_json).encode())
    except msgspec.DecodeError:
        return False
    return True
