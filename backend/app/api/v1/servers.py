"""HTTP for chat servers."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, Response, delete, get, post, put
from litestar.params import Parameter

from app.api.guards import rule_in_path
from app.api.openapi import JsonBody, errors
from app.core.caller import Caller
from app.core.validation import slug
from app.schemas.servers import RevealedKey, ServerConfig, ServerConfigBody
from app.services.owners.server_settings import ServerSettingsManager

_ID = slug(64)
ServerId = Annotated[
    str,
    Parameter(
        description="Id of the server",
        schema_extra={"min_length": 1, "max_length": 64, "pattern": _ID.schema["pattern"]},
    ),
]


class ServersController(Controller):
    """Settings of chat servers."""

    path = "/servers"
    tags = ["servers"]
    guards = [rule_in_path("server_id", _ID)]

    @get("/", sync_to_thread=True, responses=errors(503), summary="List servers")
    def list_servers(self, servers: ServerSettingsManager) -> list[ServerConfig]:
        """Every server, by id."""
        return servers.all()

    @put(
        "/{server_id:str}/config",
        dto=JsonBody[ServerConfigBody],
        sync_to_thread=True,
        responses=errors(400, 404, 409, 413, 423, 503),
        summary="Replace a server's settings",
    )
    def put_config(
        self, server_id: ServerId, data: ServerConfigBody, servers: ServerSettingsManager, caller: Caller
    ) -> ServerConfig:
        """The first time with an `api_key`; later an absent or masked one stays, as long as the provider does."""
        return servers.put(server_id, data, actor=caller.name)

    @get(
        "/{server_id:str}/config",
        sync_to_thread=True,
        responses=errors(400, 404, 503),
        summary="Read a server's settings",
    )
    def get_config(self, server_id: ServerId, servers: ServerSettingsManager) -> ServerConfig:
        """The key is shown as a hint only."""
        return servers.get(server_id)

    @delete(
        "/{server_id:str}/config",
        sync_to_thread=True,
        responses=errors(400, 404, 503),
        summary="Delete a server's settings",
    )
    def delete_config(self, server_id: ServerId, servers: ServerSettingsManager, caller: Caller) -> None:
        """And shred its key."""
        servers.delete(server_id, actor=caller.name)

    @post(
        "/{server_id:str}/api-key/reveal",
        status_code=200,
        sync_to_thread=True,
        responses=errors(400, 404, 409, 423, 503),
        summary="Reveal a server's key",
    )
    def reveal_key(self, server_id: ServerId, servers: ServerSettingsManager, caller: Caller) -> Response[RevealedKey]:
        """In plain text; refused when the audit log cannot tell of it."""
        return Response(servers.reveal(server_id, actor=caller.name), headers={"Cache-Control": "no-store"})
