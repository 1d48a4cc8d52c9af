"""HTTP for the connection settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread
import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.openapi.spec import Schema
from litestar.typing import FieldDefinition

from app.api.openapi import JsonBody, errors
from app.db.settings import ConnectionSettings, settings_from_body
from app.schemas.common import RotatedBody, StatusBody
from app.schemas.connection import DsnBody, SavedConnection
from app.services.connection import ConnectionService

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar._openapi.schema_generation import SchemaCreator
    from litestar.openapi.spec import Reference

R = TypeVar("R")

_threads = anyio.CapacityLimiter(12)
"""Threads of their own: data calls that wait for a lost database must not hold the settings up, nor the reverse."""


async def _in_thread(action: Callable[[], R]) -> R:
    return await anyio.to_thread.run_sync(action, limiter=_threads, abandon_on_cancel=True)


class ConnectionBody(JsonBody[ConnectionSettings]):
    """The five fields, or a DSN."""

    @classmethod
    def parse(cls, values: dict[str, Any]) -> ConnectionSettings:
        """Apply the rules of connection settings."""
        return settings_from_body(values)

    @classmethod
    def create_openapi_schema(
        cls,
        field_definition: FieldDefinition,
        handler_id: str,
        schema_creator: SchemaCreator,
    ) -> Reference | Schema:
        """Describe both forms."""
        dsn = schema_creator.for_field_definition(FieldDefinition.from_annotation(DsnBody))
        return Schema(any_of=[schema_creator.for_field_definition(field_definition), dsn])


class SettingsController(Controller):
    """Test, save, show and delete the connection."""

    path = "/settings"
    tags = ["settings"]

    @post(
        "/test-connection",
        dto=ConnectionBody,
        status_code=200,
        responses=errors(400, 413, 429),
        summary="Test a connection",
    )
    async def test_connection(self, data: ConnectionSettings, connection: ConnectionService) -> StatusBody:
        """Connect, run a trivial query, close; nothing is written."""
        await _in_thread(lambda: connection.test(data))
        return StatusBody("ok")

    @post(
        "/save-connection",
        dto=ConnectionBody,
        status_code=200,
        responses=errors(400, 413, 500),
        summary="Save the connection",
    )
    async def save_connection(self, data: ConnectionSettings, connection: ConnectionService) -> StatusBody:
        """Encrypt and save; the connection is made anew in the background."""
        await _in_thread(lambda: connection.save(data))
        return StatusBody("saved")

    @get("/connection", responses=errors(404, 409), summary="Show the saved connection")
    async def get_connection(self, connection: ConnectionService) -> Response[SavedConnection]:
        """The saved fields, without the password."""
        saved = await _in_thread(connection.saved)
        return Response(msgspec.convert(saved, SavedConnection), headers={"Cache-Control": "no-store"})

    @delete("/connection", responses=errors(404, 500), summary="Delete the saved connection")
    async def delete_connection(self, connection: ConnectionService) -> None:
        """Forget the saved connection; the embedded database takes over."""
        await _in_thread(connection.delete)

    @post("/retry", status_code=202, responses=errors(), summary="Connect now")
    async def retry(self, connection: ConnectionService) -> StatusBody:
        """Run the start-up pipeline now."""
        await _in_thread(connection.retry)
        return StatusBody("retrying")

    @post("/rotate-key", status_code=200, responses=errors(409, 500), summary="Replace fernet.key")
    async def rotate_key(self, connection: ConnectionService) -> RotatedBody:
        """Put a new key in the place of fernet.key and re-encrypt what hangs on it."""
        return RotatedBody("rotated", await _in_thread(connection.rotate_key))
