"""HTTP for the connection settings."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import anyio
import anyio.to_thread
import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.datastructures import ResponseHeader
from litestar.openapi.spec import Schema
from litestar.typing import FieldDefinition
from msgspec import UNSET

from app.api.openapi import JsonBody, errors
from app.api.query import checked_query, query_parameter
from app.api.timing import server_timing
from app.core.logging import protect
from app.core.validation import build, one_of
from app.db.settings import ConnectionSettings, TypedConnection, connection_from_body
from app.schemas.common import RotatedBody, StatusBody
from app.schemas.connection import (
    CertificateFiles,
    ConnectionAnswer,
    DsnBody,
    FileVerdict,
    FileVerdicts,
    PasswordBody,
    PasswordlessBody,
    SavedConnection,
)
from app.schemas.support import LogLines, SupportArchive
from app.services.certificates import Verdict, check_files
from app.services.connection import ConnectionService
from app.services.support import Support

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
    def parse(cls, values: dict[str, Any]) -> TypedConnection:
        """Apply the rules of connection settings."""
        return connection_from_body(values)

    @classmethod
    def create_openapi_schema(
        cls,
        field_definition: FieldDefinition,
        handler_id: str,
        schema_creator: SchemaCreator,
    ) -> Reference | Schema:
        """Describe the forms: with a password, with another login, with a DSN."""
        forms = [FieldDefinition.from_annotation(form) for form in (ConnectionSettings, PasswordlessBody, DsnBody)]
        described = Schema(any_of=[schema_creator.for_field_definition(form) for form in forms])
        with_password = schema_creator.schema_registry.get_schema_for_field_definition(forms[0])
        with_password.required = sorted({*(with_password.required or ()), "password"})
        return described


class PasswordJson(JsonBody[PasswordBody]):
    """A password."""

    @classmethod
    def parse(cls, values: dict[str, Any]) -> PasswordBody:
        """Keep it as it was sent, and out of the logs."""
        body = build(PasswordBody, values)
        protect(body.password)
        return body


_ToldToTest = Annotated[
    str | None, query_parameter("true: test first, and save only what works", enum=["true", "false"])
]
_TEST_RULES: Final = {"test": one_of("true", "false")}


_SERVER_TIMING: Final = ResponseHeader(
    name="Server-Timing",
    value="",
    description=(
        "Milliseconds of each phase (`lookup`, `reach`, `login`, `query`; what cannot be told is left out), "
        'the server\'s version (`server`) and TLS (`encryption`): `login;dur=8.1, server;desc="18.4"`'
    ),
    documentation_only=True,
)


def _told(verdict: Verdict | None) -> FileVerdict | None:
    if verdict is None:
        return None
    end = verdict.expires_at
    expires_at = None if end is None else end.strftime("%Y-%m-%dT%H:%M:%SZ")
    return FileVerdict(verdict.ok, verdict.code, verdict.message, verdict.subject, expires_at)


class SettingsController(Controller):
    """Test, save, show and delete the connection."""

    path = "/settings"
    tags = ["settings"]

    @post(
        "/test-connection",
        dto=ConnectionBody,
        status_code=200,
        response_headers=[_SERVER_TIMING],
        responses=errors(400, 413, 429),
        summary="Test a connection",
    )
    async def test_connection(self, data: TypedConnection, connection: ConnectionService) -> Response[ConnectionAnswer]:
        """Connect, run a trivial query, close; nothing is written."""
        trial = await _in_thread(lambda: connection.test(data.settings))
        answer = ConnectionAnswer("ok", list(data.ignored) or UNSET)
        return Response(answer, headers={_SERVER_TIMING.name: server_timing(trial)})

    @post(
        "/check-certificates",
        dto=JsonBody[CertificateFiles],
        status_code=200,
        responses=errors(400, 413),
        summary="Look at the files of certificates and key",
    )
    async def check_certificates(self, data: CertificateFiles) -> FileVerdicts:
        """There, readable, of the right form, valid now, and key and certificate belong together."""
        found = await _in_thread(lambda: check_files(data.sslrootcert, data.sslcert, data.sslkey))
        return FileVerdicts(_told(found.get("sslrootcert")), _told(found.get("sslcert")), _told(found.get("sslkey")))

    @post(
        "/save-connection",
        dto=ConnectionBody,
        status_code=200,
        responses=errors(400, 413, 429, 500),
        summary="Save the connection",
    )
    async def save_connection(
        self, data: TypedConnection, connection: ConnectionService, test: _ToldToTest = None
    ) -> ConnectionAnswer:
        """Encrypt and save; the connection is made anew in the background."""
        is_tested = checked_query(_TEST_RULES, {"test": test}).get("test") == "true"

        def save() -> None:
            if is_tested:
                connection.test(data.settings)
            connection.save(data.settings)

        await _in_thread(save)
        return ConnectionAnswer("saved", list(data.ignored) or UNSET)

    @post(
        "/password",
        dto=PasswordJson,
        status_code=200,
        responses=errors(400, 404, 409, 413),
        summary="Hand in a password that is stored nowhere",
    )
    async def use_password(self, data: PasswordBody, connection: ConnectionService) -> StatusBody:
        """Log in to the saved connection with it from now on; at once if a login had been refused."""
        await _in_thread(lambda: connection.use_password(data.password))
        return StatusBody("taken")

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

    @get("/log", responses=errors(500), summary="The log's newest lines")
    async def log(self, support: Support) -> Response[LogLines]:
        """Without secrets, oldest first."""
        lines = await _in_thread(support.log_lines)
        return Response(LogLines(lines), headers={"Cache-Control": "no-store"})

    @get("/support-archive", responses=errors(500), summary="A support archive")
    async def support_archive(self, support: Support) -> Response[SupportArchive]:
        """What `doctor` finds, versions and logs, without secrets."""
        archive = base64.b64encode(await _in_thread(support.bundle)).decode("ascii")
        return Response(SupportArchive("taskflow-support.zip", archive), headers={"Cache-Control": "no-store"})

    @post("/rotate-key", status_code=200, responses=errors(409, 500), summary="Replace fernet.key")
    async def rotate_key(self, connection: ConnectionService) -> RotatedBody:
        """Put a new key in the place of fernet.key and re-encrypt what hangs on it."""
        return RotatedBody("rotated", await _in_thread(connection.rotate_key))
