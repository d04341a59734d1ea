"""Writes the little TOML that a configuration needs."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNWRITABLE = re.compile("[\ud800-\udfff]")


def table(head: str, values: Mapping[str, Any], remarks: Sequence[str] = ()) -> Iterator[str]:
    """Write a table: remarks, plain values, then the tables inside. `head` is its line with brackets."""
    inner = {name: value for name, value in values.items() if isinstance(value, Mapping) and name in INNER}
    yield from map(comment, remarks)
    yield head
    for name, value in values.items():
        if name not in inner:
            yield f"{key(name)} = {written(value)}"
    for name, value in inner.items():
        yield f"[{head.strip('[]')}.{name}]"
        yield from (f"{key(each)} = {written(found)}" for each, found in value.items())


INNER = {"http", "tls", "tcp", "dns", "email", "telegram", "ntfy", "webhook", "heartbeat"}


def comment(text: str) -> str:
    plain = _CONTROL.sub("\ufffd", " ".join(_clean(text).split()))
    return f"# {plain}"


def key(name: str) -> str:
    return name if _BARE.fullmatch(name) else written(name)


def written(value: Any) -> str:  # noqa: ANN401 - whatever TOML can hold
    if isinstance(value, str):
        return json.dumps(_clean(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key(name)} = {written(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(written, value))}]"
    return json.dumps(value)


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
