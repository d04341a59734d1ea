"""Every key of the config file and every variable of the environment.

Type, default and limits come from the code, the meaning from `meanings.toml`.
"""

import ast
import inspect as source
import json
import textwrap
import tomllib
from collections.abc import Iterator
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect
from tables import code, table

from fks_master.config import environment
from fks_master.config.schema import File

HEAD = """# Config file

`config/monitor.toml`, or the file that `--config` or `FKS_MONITOR_CONFIG` names. A key that is not known is a mistake, and
`fks_master validate` says every mistake with what would be right. A changed file is taken up while the monitor runs.

"""
ENVIRONMENT = """# Environment

Flags beat the environment, the environment beats the file. An empty value counts as unset.

"""
OUTSIDE = ("FKS_MASTER_URL", "FKS_MONITOR_CONFIG", "RUST_LOG")


@cache
def meanings() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_name("meanings.toml").read_text(encoding="utf-8"))


def meaning(section: str, name: str) -> str:
    """Give the meaning, or stop the build: whoever adds a key says what it is for."""
    found = meanings().get(section, {}).get(name)
    if found is None:
        raise LookupError(
            f"docs/hooks/meanings.toml lacks {name} under [{section}]: say there in a sentence what it means"
        )
    return found


def write() -> str:
    return HEAD + "\n".join(_sections(_file(), ""))


def _file() -> inspect.StructType:
    found = inspect.type_info(File)
    return found if isinstance(found, inspect.StructType) else inspect.StructType(File, ())


def _sections(kind: inspect.StructType, path: str) -> Iterator[str]:
    """Write a table of keys for each table of the file, the ones inside it after it."""
    inner = {field.encode_name: found for field in kind.fields if (found := _table_in(field.type))}
    plain = [field for field in kind.fields if field.encode_name not in inner]
    name = kind.cls.__name__
    if path:
        yield f"## `{path}`\n\n{_intro(kind.cls)}\n"
        rows = [_row(name, field) for field in plain]
        yield table(["key", "type", "default", "meaning"], rows)
    for key, (inside, is_list) in inner.items():
        below = f"{path.strip('[]')}.{key}" if path else key
        yield from _sections(inside, f"[[{below}]]" if is_list else f"[{below}]")


def _intro(kind: type) -> str:
    return " ".join(source.cleandoc(kind.__doc__ or "").split())


def _table_in(kind: inspect.Type) -> tuple[inspect.StructType, bool] | None:
    kind = _bare(kind)
    if isinstance(kind, inspect.VarTupleType):
        item = _bare(kind.item_type)
        return (item, True) if isinstance(item, inspect.StructType) else None
    return (kind, False) if isinstance(kind, inspect.StructType) else None


def _bare(kind: inspect.Type) -> inspect.Type:
    if isinstance(kind, inspect.UnionType):
        kind = next(each for each in kind.types if not isinstance(each, inspect.NoneType))
    return kind.type if isinstance(kind, inspect.Metadata) else kind


def _row(owner: str, field: inspect.Field) -> list[str]:
    return [code(field.encode_name), describe(field.type), _default(field), meaning(owner, field.encode_name)]


def describe(kind: inspect.Type) -> str:
    kind = _bare(kind)
    if isinstance(kind, inspect.EnumType):
        return "one of " + ", ".join(code(str(each.value)) for each in kind.cls)
    if isinstance(kind, inspect.VarTupleType):
        return f"list: {describe(kind.item_type)}"
    if isinstance(kind, inspect.DictType):
        return f"table of {describe(kind.value_type)}"
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        word = "whole number" if isinstance(kind, inspect.IntType) else "number"
        return f"{word}, {kind.ge:g} to {kind.le:.0f}" if kind.ge is not None and kind.le is not None else word
    return {inspect.StrType: "text", inspect.BoolType: "true or false"}.get(type(kind), "anything")


def _default(field: inspect.Field) -> str:
    if field.required:
        return "**required**"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return "" if value is None else code(_written(value))


def _written(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    if isinstance(value, dict):
        return "{}" if not value else str(value)
    return json.dumps(value.value if isinstance(value, Enum) else value)


def write_environment() -> str:
    known = variables()
    return ENVIRONMENT + table(["variable", "default", "meaning"], (_variable(*one) for one in known.items()))


def variables() -> dict[str, str]:
    """Give each variable with its default, from the calls of `read_environment` themselves."""
    tree = ast.parse(textwrap.dedent(source.getsource(environment.read_environment)))
    found = {
        str(node.args[0].value): _setting(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"read", "secret", "headers"}
        if isinstance(node.args[0], ast.Constant)
    }
    return found | dict.fromkeys(OUTSIDE, "")


def _setting(call: ast.Call) -> str:
    names = [each.attr for arg in call.args for each in ast.walk(arg) if isinstance(each, ast.Attribute)]
    fields = environment.Settings()
    value = next((getattr(fields, name) for name in names if name in fields.__struct_fields__), None)
    if isinstance(value, tuple):
        return ",".join(value)
    return "" if value is None else str(value.value if isinstance(value, Enum) else value)


def _variable(name: str, default: str) -> list[str]:
    return [code(name), code(default), meaning("environment", name)]
