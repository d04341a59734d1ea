"""The OpenAPI 3.1 document, drawn from the table of endpoints, and a page that shows it."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from fks_master import __version__
from fks_master.api.endpoint import Access, Endpoint
from fks_master.api.static_files import STATIC

PARAMETER = re.compile(r"{(\w+)}")
SECURITY: list[dict[str, list[str]]] = [{"apiKey": []}, {"bearer": []}]


class Problem(msgspec.Struct, frozen=True):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    kinds = [kind for one in endpoints for kind in _kinds(one) if kind is not None]
    schemas, components = msgspec.json.schema_components(
        [*kinds, Problem], ref_template="#/components/schemas/{name}", schema_hook=_of_no_type
    )
    known = dict(zip(map(id, [*kinds, Problem]), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for one in endpoints:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, known, components)
    described: dict[str, Any] = _with_prefix_items(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "FKS Master",
                "version": __version__,
                "description": "Errors are RFC 9457 problem documents.",
            },
            "paths": paths,
            "components": {
                "schemas": components,
                "securitySchemes": {
                    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                    "bearer": {"type": "http", "scheme": "bearer"},
                },
            },
        }
    )
    return described


def _with_prefix_items(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Write tuples as JSON Schema 2020-12 has them, which is what OpenAPI 3.1 means."""
    if isinstance(value, list | tuple):
        return [_with_prefix_items(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _with_prefix_items(one) for name, one in value.items()}
    if isinstance(found.get("items"), list | tuple):
        found["prefixItems"], found["items"] = found["items"], False
    return found


def _of_no_type(kind: type) -> dict[str, Any]:
    """Describe `object`: any JSON value."""
    if kind is object:
        return {"description": "Any JSON value"}
    raise NotImplementedError


def _operation(one: Endpoint, known: dict[int, Any], components: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": one.summary,
        "operationId": re.sub(r"\W+", "_", f"{one.method} {one.path}").strip("_").lower(),
        "tags": [one.path.split("/")[2] if one.path.startswith("/api/") else "monitor"],
        "parameters": [_path_parameter(name) for name in PARAMETER.findall(one.path)],
        "responses": _responses(one, known),
    }
    if one.query is not None:
        operation["parameters"] += _query_parameters(known[id(one.query)], components)
    if one.body is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": known[id(one.body)]}}}
    if one.access not in {Access.OPEN, Access.PUBLIC}:
        operation["security"] = SECURITY
        operation["x-scope"] = one.access.value
    return operation


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameters(schema: dict[str, Any], components: dict[str, Any]) -> list[dict[str, Any]]:
    found = components[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    required = found.get("required", [])
    properties: dict[str, Any] = found.get("properties", {})
    return [
        {"name": name, "in": "query", "required": name in required, "schema": each} for name, each in properties.items()
    ]


def _responses(one: Endpoint, known: dict[int, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {
        one.media_type: {"schema": {"type": "string"} if one.answer is None else known[id(one.answer)]}
    }
    responses: dict[str, Any] = {str(one.status): {"description": HTTPStatus(one.status).phrase, "content": content}}
    refusals = set() if one.access is Access.OPEN else {401, 403, 429}
    if one.access.is_change or one.access is Access.READ:
        refusals.add(421)
    for status in sorted({*one.errors, *refusals}):
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": _refusal(one, known)}
    for status, kind in one.also:
        described = responses.setdefault(str(status), {"description": HTTPStatus(status).phrase, "content": {}})
        described["content"]["application/json"] = {"schema": known[id(kind)]}
    return responses


def _refusal(one: Endpoint, known: dict[int, Any]) -> dict[str, Any]:
    """Describe how a refusal looks, where the contract fixes another shape than a problem document."""
    if one.refuse and one.refusal is None:
        return {"application/json": {"schema": known[id(one.answer)]}}
    return {"application/problem+json": {"schema": known[id(one.refusal or Problem)]}}


def _kinds(one: Endpoint) -> tuple[Any, ...]:
    return one.answer, one.body, one.query, one.refusal, *(kind for _, kind in one.also)


class OpenApiRoutes:
    """`/openapi.json` and `/docs`; the document is made when first asked for."""

    def __init__(self) -> None:
        self._described: Sequence[Endpoint] = ()
        self._encoded: bytes | None = None

    def describe(self, endpoints: Sequence[Endpoint]) -> list[Endpoint]:
        """Return the table with these two routes in it."""
        self._described = [*endpoints, *self._own()]
        return list(self._described)

    def _own(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET", path="/openapi.json", handle=self.openapi, access=Access.OPEN,
                summary="This description", answer=dict[str, Any],
            ),
            Endpoint(
                method="GET", path="/docs", handle=self.docs, access=Access.OPEN,
                summary="This description as a page", media_type="text/html",
            ),
        ]  # fmt: skip

    async def openapi(self, _: Request) -> Response:
        if self._encoded is None:
            self._encoded = msgspec.json.encode(document(self._described))
        return Response(self._encoded, media_type="application/json")

    async def docs(self, _: Request) -> Response:
        return FileResponse(STATIC / "docs.html")
