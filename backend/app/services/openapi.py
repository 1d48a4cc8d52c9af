"""The OpenAPI document, made without a running sidecar."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme, Tag

from app import __version__
from app.core.config import Config
from app.core.readiness import Readiness
from app.db.session import Database
from app.main import assemble, create_app
from app.sidecar.startup import Startup

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
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait", "required": True, "schema": {"type": "integer"}}}


def document() -> dict[str, Any]:
    """Return the document that `/schema` serves."""
    # nothing is read or written there: the application is built but never run
    nowhere = Path(tempfile.gettempdir())
    config = Config(config_dir=nowhere, data_dir=nowhere)
    readiness = Readiness()
    database = Database(readiness)
    startup = Startup(config, readiness, database)
    parts = assemble(config, readiness, database, startup, "", stop=lambda: None)
    app = create_app(parts, openapi=_CONFIG)
    schema: dict[str, Any] = app.openapi_schema.to_schema()
    for path in schema["paths"].values():
        for operation in path.values():
            _share_errors(operation["responses"], schema["components"].setdefault("responses", {}))
    return schema


def _share_errors(responses: dict[str, dict[str, Any]], shared: dict[str, dict[str, Any]]) -> None:
    """Complete the error answers of an operation, and describe those that many have in common only once."""
    for status, response in responses.items():
        content = response.get("content", {}).get("application/json", {})
        if content.get("schema") == {"$ref": "#/components/schemas/ErrorBody"}:
            response["headers"] = _ERROR_HEADERS | (_RETRY_AFTER if status in ("429", "503") else {})
            name = f"Error{status}"
            if shared.setdefault(name, response) == response:
                responses[status] = {"$ref": f"#/components/responses/{name}"}
