"""Compares what a file says with the schema and tells every mistake, where `msgspec.convert` stops at the first."""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import inspect

_LONGEST_SHOWN = 80
_USERINFO = re.compile(r"//[^/@]*@")


def find_mistakes(document: object, schema: type) -> Iterator[str]:
    """Tell each place where the document is not what the schema wants."""
    return _walk(inspect.type_info(schema), document, "")


def nearest(found: str, known: Iterable[str]) -> str:
    """Say which known word was probably meant; empty when none is near."""
    words = {word.lower(): word for word in known}
    near = difflib.get_close_matches(found.lower(), words, n=1)
    near += [word for word in words if found.lower() in word.split("_")]  # "type" for "service_type"
    return f'; did you mean "{words[near[0]]}"?' if near else ""


def show(value: object) -> str:
    """Write a value in one short line."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _walk(kind: inspect.Type, value: object, path: str) -> Iterator[str]:
    kind, extra = _unwrap(kind)
    is_of_kind, look_inside = _KINDS[type(kind)]
    if not is_of_kind(value):
        yield f"{path}: found {show(value)}, expected {_describe(kind, path)}{_without_quotes(kind, value)}"
    else:
        yield from look_inside(kind, extra, value, path)


def _unwrap(kind: inspect.Type) -> tuple[inspect.Type, dict[str, Any]]:
    """Drop the None of an optional value, which TOML cannot write, and take the extra metadata off."""
    if isinstance(kind, inspect.UnionType):
        kind = next(each for each in kind.types if not isinstance(each, inspect.NoneType))
    if isinstance(kind, inspect.Metadata):
        return kind.type, kind.extra or {}
    return kind, {}


def _describe(kind: inspect.Type, path: str = "") -> str:
    kind, _ = _unwrap(kind)
    if isinstance(kind, inspect.VarTupleType):
        item, _ = _unwrap(kind.item_type)
        return f"tables that begin with [[{path}]]" if isinstance(item, inspect.StructType) else "a list of strings"
    if isinstance(kind, inspect.IntType):
        return f"a whole number from {kind.ge} to {kind.le}"
    if isinstance(kind, inspect.FloatType):
        return f"a number from {kind.ge:g} to {kind.le:.10g}"
    if isinstance(kind, inspect.EnumType):
        return f"one of {', '.join(each.value for each in kind.cls)}"
    return {inspect.StrType: "a string", inspect.BoolType: "true or false"}.get(type(kind), "a table")


def _without_quotes(kind: inspect.Type, value: object) -> str:
    """Remind those who wrote a number or a switch as a text."""
    is_number = isinstance(kind, inspect.IntType | inspect.FloatType) and re.match(r"\d", str(value))
    is_switch = isinstance(kind, inspect.BoolType) and str(value).lower() in {"true", "false"}
    return ", without quotes" if isinstance(value, str) and (is_number or is_switch) else ""


def _walk_table(kind: inspect.StructType, _: dict[str, Any], table: dict[str, object], path: str) -> Iterator[str]:
    fields = {field.encode_name: field for field in kind.fields}
    for key, value in table.items():
        if key in fields:
            yield from _walk(fields[key].type, value, _below(path, key))
        else:
            known = f", expected one of {', '.join(fields)}"
            yield f"{_below(path, key)}: unknown key{nearest(key, fields) or _below_one_of(key, fields) or known}"
    for key, field in fields.items():
        if field.required and key not in table:
            yield f"{_below(path, key)}: missing, expected {_wanted(field.type)}"


def _below_one_of(key: str, fields: dict[str, inspect.Field]) -> str:
    """Say that a key is known in a table below; "method" belongs into "http"."""
    for name, field in fields.items():
        kind, _ = _unwrap(field.type)
        if isinstance(kind, inspect.StructType) and key in {each.encode_name for each in kind.fields}:
            return f'; did you mean "{name}.{key}"?'
    return ""


def _wanted(kind: inspect.Type) -> str:
    """Describe what is missing, as precisely as what is wrong would be met."""
    _, extra = _unwrap(kind)
    return (extra["format"]("") if "format" in extra else None) or _describe(kind)


def _walk_map(kind: inspect.DictType, _: dict[str, Any], table: dict[str, object], path: str) -> Iterator[str]:
    for key, value in table.items():
        yield from _walk(kind.key_type, key, _below(path, key))
        yield from _walk(kind.value_type, value, _below(path, key))


def _walk_list(kind: inspect.VarTupleType, _: dict[str, Any], items: list[object], path: str) -> Iterator[str]:
    for index, item in enumerate(items):
        yield from _walk(kind.item_type, item, f"{path}[{index}]")


def _walk_string(_: inspect.StrType, extra: dict[str, Any], text: str, path: str) -> Iterator[str]:
    expected = extra["format"](text) if "format" in extra else None
    if expected:
        shown = "a value that is not shown" if extra.get("secret") else show(_USERINFO.sub("//…@", text))
        yield f"{path}: found {shown}, expected {expected}"


def _walk_number(
    kind: inspect.IntType | inspect.FloatType, _: dict[str, Any], number: float, path: str
) -> Iterator[str]:
    if kind.ge is not None and kind.le is not None and not kind.ge <= number <= kind.le:
        yield f"{path}: found {show(number)}, expected {_describe(kind)}"


def _walk_enum(kind: inspect.EnumType, _: dict[str, Any], text: str, path: str) -> Iterator[str]:
    known = [each.value for each in kind.cls]
    if text not in known:
        yield f"{path}: found {show(text)}, expected {_describe(kind)}{nearest(text, known)}"


def _walk_nothing(_: inspect.Type, __: dict[str, Any], ___: object, ____: str) -> Iterator[str]:
    return iter(())


def _below(path: str, key: str) -> str:
    shown = key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else show(key)
    return f"{path}.{shown}" if path else shown


def _is(*types: type) -> Callable[[object], bool]:
    """Make the question whether a value is of these types; to Python, but not to us, True is a number."""
    return lambda value: isinstance(value, types) and (bool in types or not isinstance(value, bool))


_KINDS: dict[type[inspect.Type], tuple[Callable[[object], bool], Callable[..., Iterator[str]]]] = {
    inspect.StructType: (_is(dict), _walk_table),
    inspect.DictType: (_is(dict), _walk_map),
    inspect.VarTupleType: (_is(list), _walk_list),
    inspect.StrType: (_is(str), _walk_string),
    inspect.EnumType: (_is(str), _walk_enum),
    inspect.IntType: (_is(int), _walk_number),
    inspect.FloatType: (_is(int, float), _walk_number),
    inspect.BoolType: (_is(bool), _walk_nothing),
    inspect.AnyType: (lambda _: True, _walk_nothing),
}
