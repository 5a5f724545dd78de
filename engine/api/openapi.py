"""The OpenAPI 3.1 document, made from the route table and the message types: it cannot say something else than the code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from engine import wire
from engine.api.services import Call, Services

if TYPE_CHECKING:
    from engine.api.routes import Route

_REF = "#/components/schemas/{name}"
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")


DOCUMENT = web.AppKey("openapi_document", bytes)
"""The encoded document: made once, when the server is built."""


async def send_document(
    services: Services, call: Call[None, None], request: web.Request
) -> web.StreamResponse:
    return web.Response(body=request.app[DOCUMENT], content_type="application/json")


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    types: list[Any] = [wire.ErrorReply]
    for route in routes:
        types.extend(part for part in (route.body, route.reply) if part is not None)
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    schema_of = {repr(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Watchdeck engine",
            "version": version,
            "description": "Served on a unix socket; who is asking is known by SO_PEERCRED. Times are integer microseconds "
            "since the Unix epoch, UTC. Requests with unknown fields are refused; replies may grow fields.",
        },
        "servers": [{"url": "http://engine", "description": "unix socket, see docs/api.md"}],
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(route: Route, schema_of: dict[str, Any]) -> dict[str, Any]:
    function = route.handler or route.raw
    operation: dict[str, Any] = {
        "operationId": getattr(function, "__name__", route.key) if route.handler else _raw_id(route),
        "summary": route.summary,
        "tags": [route.path.split("/")[2].removesuffix(".json")],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in _PATH_PARAMETER.findall(route.path)
        ]
        + (_query_parameters(route.query) if route.query else []),
        "responses": {
            str(route.status): _answer(route, schema_of),
            "default": {
                "description": "The call failed; `code` is stable.",
                "content": {"application/json": {"schema": schema_of[repr(wire.ErrorReply)]}},
            },
        },
    }
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema_of[repr(route.body)]}},
        }
    return operation


def _raw_id(route: Route) -> str:
    """Handlers that write their own response are named by their path."""
    return route.method.lower() + "_" + re.sub(r"\W+", "_", route.path.removeprefix("/v1/"))


def _answer(route: Route, schema_of: dict[str, Any]) -> dict[str, Any]:
    if route.status == 204:
        return {"description": "Done."}
    if route.status == 101:
        return {
            "description": "WebSocket. Each text message is one of these.",
            "content": {"application/json": {"schema": schema_of[repr(route.reply)]}},
        }
    schema = {"type": "string", "format": "binary"} if route.reply is None else schema_of[repr(route.reply)]
    return {"description": route.summary + ".", "content": {route.media_type: {"schema": schema}}}


def _query_parameters(query: type[wire.Request]) -> list[dict[str, Any]]:
    _, components = msgspec.json.schema_components([query], ref_template=_REF)
    schema = components[query.__name__]
    required = schema.get("required", [])
    parameters = []
    for name, field in schema["properties"].items():
        described = dict(field)
        description = described.pop("description", None)
        parameter: dict[str, Any] = {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": described,
        }
        if description:
            parameter["description"] = description
        parameters.append(parameter)
    return parameters
