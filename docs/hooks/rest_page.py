"""Every route, from the description that the program gives of itself."""

import re
from collections.abc import Iterator
from typing import Any

from tables import code, table

HEAD = """# REST

The running monitor describes all of this at `/openapi.json`, and shows it at `/docs`. Errors are problem documents after RFC 9457. Scopes are `read`, `operate` and
`admin`, each including the one before ([keys](../security.md#keys-for-several-people-and-machines)); a credential comes as `x-api-key`, or as `Authorization: Bearer`. Every answer carries `X-Request-Id`.

"""
Json = dict[str, Any]


def write(document: Json) -> str:
    by_tag: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = operation["tags"][0]
            by_tag.setdefault(tag, []).append("\n".join(_operation(method.upper(), path, operation, document)))
    return HEAD + "\n".join(f"## {tag.capitalize()}\n\n" + "\n".join(parts) for tag, parts in by_tag.items())


def _operation(method: str, path: str, operation: Json, document: Json) -> Iterator[str]:
    scope = operation.get("x-scope")
    needs = f" *Needs a credential with the scope {code(scope)} once one is configured.*" if scope else ""
    yield f"### `{method} {path}`\n\n{operation['summary']}.{needs}\n"
    if parameters := operation.get("parameters"):
        rows = [[code(one["name"]), one["in"], kind(one["schema"]), _notes(one)] for one in parameters]
        yield table(["parameter", "in", "type", "notes"], rows)
    if body := operation.get("requestBody"):
        yield from _shape("Body", next(iter(body["content"].values()))["schema"], document)
    good = next(status for status in operation["responses"] if status.startswith("2"))
    media, answer = next(iter(operation["responses"][good]["content"].items()))
    if media == "application/json":
        yield from _shape(f"Answer {good}", answer["schema"], document)
    else:
        yield f"Answer {good}: `{media}`.\n"
    others = [code(status) for status in operation["responses"] if not status.startswith("2")]
    yield f"Refusals and errors: {', '.join(others)}.\n" if others else ""


def _shape(title: str, schema: Json, document: Json) -> Iterator[str]:
    """Write the fields of one level; what is deeper is in `/docs`."""
    yield f"{title}: {kind(schema)}\n"
    inner = schema["items"] if schema.get("type") == "array" and "items" in schema else schema
    found = _resolved(inner, document)
    needed = found.get("required", [])
    if properties := found.get("properties"):
        yield table(
            ["field", "type", "notes"],
            ([code(name), kind(each), "required" if name in needed else ""] for name, each in properties.items()),
        )


def _resolved(schema: Json, document: Json) -> Json:
    if "$ref" not in schema:
        return schema
    found: Json = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def kind(schema: Json) -> str:
    if "$ref" in schema:
        return code(re.split(r"[/.]", schema["$ref"])[-1])
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(kind(each) for each in options)
    if "enum" in schema:
        return "one of " + ", ".join(code(str(each)) for each in schema["enum"])
    word = str(schema.get("type", "any"))
    if word == "array" and schema.get("items"):
        return f"list of {kind(schema['items'])}"
    return word + (f" ({schema['format']})" if "format" in schema else "")


def _notes(parameter: Json) -> str:
    schema = parameter["schema"]
    said = ["required"] if parameter.get("required") else []
    if schema.get("default") is not None:
        said.append(f"default {code(str(schema['default']))}")
    return ", ".join(said)
