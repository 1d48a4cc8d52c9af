"""The OpenAPI document, made from an application that is never run."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import msgspec
from litestar import Response, get
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme, Tag

from app import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar import Litestar
    from litestar.handlers import HTTPRouteHandler

    Build = Callable[[OpenAPIConfig], Litestar]

_CONFIG = OpenAPIConfig(
    title="TaskFlow sidecar",
    version=__version__,
    description=(
        'Every error is `{"error": "<one sentence>"}` with a stable machine code in the header `Taskflow-Error-Code`; '
        "validation tells the first broken rule, `<field>: <what is wrong>`. Timestamps are ISO 8601 in UTC."
    ),
    components=Components(
        security_schemes={
            "launchToken": SecurityScheme(type="http", scheme="bearer", description="The token of this launch"),
            "userToken": SecurityScheme(
                type="http",
                scheme="bearer",
                bearer_format="JWT",
                description="A user's token, signed with HS256 under JWT_SECRET_KEY: `sub` is the user, `exp` is asked "
                "for, and `tenant_id` may name a tenant",
            ),
        }
    ),
    tags=[
        Tag("health", "Liveness and readiness, without a token"),
        Tag("status", "What the sidecar does, and why"),
        Tag("settings", "The connection to the database"),
        Tag("members", "The people of the team"),
        Tag("tasks", "The team's work: tasks, their sub-tasks and daily updates"),
        Tag("events", "What changes, live"),
        Tag("transfer", "The team's work in one file: out of a database and into another"),
        Tag("servers", "Chat servers: their settings and keys"),
        Tag("ai-keys", "The system's own keys of AI providers"),
        Tag("user-keys", "Users' keys of AI providers, and the initial ones for users who have none"),
        Tag("tenants", "Tenants: their tiers and OpenAI keys"),
        Tag("auth", "Users' tokens"),
        Tag("vault", "Secrets: their keys, rotation, audit log"),
        Tag("ai", "AI providers: their keys tested, their use counted"),
        Tag("cameras", "Cameras and their passwords"),
        Tag("alert rules", "Webhooks and the values of their headers"),
    ],
    use_handler_docstrings=True,
)

_ERROR_HEADERS = {
    "Taskflow-Error-Code": {"description": "Stable machine code", "required": True, "schema": {"type": "string"}},
}
_SECONDS = {"type": "integer"}
_WAITS: dict[str, dict[str, Any]] = {
    "429": {"Retry-After": {"description": "Seconds to wait", "required": True, "schema": _SECONDS}},
    "503": {"Retry-After": {"description": "Seconds to wait; only where that alone may help", "schema": _SECONDS}},
}


def schema_handler(build: Build) -> HTTPRouteHandler:
    """Return the handler that serves the document; it is made when it is first asked for, not on the way to ready."""

    @functools.cache
    def encoded() -> bytes:
        return msgspec.json.encode(document(build))

    @get(["/schema", "/schema/openapi.json"], include_in_schema=False)
    async def openapi_document() -> Response[bytes]:
        return Response(await anyio.to_thread.run_sync(encoded), media_type="application/vnd.oai.openapi+json")

    return openapi_document


def document(build: Build) -> dict[str, Any]:
    """Return the document that describes the application which `build` makes."""
    schema: dict[str, Any] = build(_CONFIG).openapi_schema.to_schema()
    for path in schema["paths"].values():
        for operation in path.values():
            _share_errors(operation["responses"], schema["components"].setdefault("responses", {}))
    return schema


def _share_errors(responses: dict[str, dict[str, Any]], shared: dict[str, dict[str, Any]]) -> None:
    """Complete the error answers of an operation, and describe those that many have in common only once."""
    for status, response in responses.items():
        content = response.get("content", {}).get("application/json", {})
        if content.get("schema") == {"$ref": "#/components/schemas/ErrorBody"}:
            response["headers"] = _ERROR_HEADERS | _WAITS.get(status, {})
            name = f"Error{status}"
            if shared.setdefault(name, response) == response:
                responses[status] = {"$ref": f"#/components/responses/{name}"}
