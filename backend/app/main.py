"""`create_app`: Litestar, its routes, its error translation. Importing this module does no work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from litestar import Litestar, Request, Response, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from app import __version__
from app.api.health import HealthController
from app.api.page import settings_page
from app.api.v1.members import MembersController
from app.api.v1.settings import SettingsController
from app.api.v1.status import StatusController
from app.core.exceptions import INTERNAL, STATUS_CODES, STATUS_SENTENCES, RequestError, error_headers
from app.core.logging import get_logger
from app.core.readiness import Readiness
from app.services.connection import ConnectionService
from app.services.members import Members
from app.services.status import StatusService

if TYPE_CHECKING:
    from app.core.config import Config
    from app.core.startup import Startup
    from app.db.session import Database

MAX_BODY_BYTES = 1 << 20

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the process hands to the application."""

    config: Config
    readiness: Readiness
    database: Database
    startup: Startup
    status: StatusService


def create_app(parts: Parts) -> Litestar:
    """Build the ASGI application around the running parts of the process."""
    v1 = Router("/api/v1", route_handlers=[StatusController, SettingsController, MembersController])
    return Litestar(
        route_handlers=[settings_page, HealthController, v1],
        dependencies={
            "readiness": _given(parts.readiness),
            "status": _given(parts.status),
            "connection": _given(ConnectionService(parts.config.config_dir, parts.startup)),
            "members": _given(Members(parts.database)),
        },
        exception_handlers={
            RequestError: _answer_request_error,
            HTTPException: _answer_http_exception,
            Exception: _answer_unexpected,
        },
        openapi_config=OpenAPIConfig(
            title="TaskFlow sidecar",
            version=__version__,
            path="/schema",
            render_plugins=[JsonRenderPlugin(path=["/", "/openapi.json"])],
        ),
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
    )


def _given(value: Any) -> Provide:
    return Provide(lambda: value, use_cache=True, sync_to_thread=False)


def _answer_request_error(_: Request[Any, Any, Any], exc: RequestError) -> Response[dict[str, str]]:
    return _error(exc.status, exc.message, error_headers(exc.code, exc.headers))


def _answer_http_exception(_: Request[Any, Any, Any], exc: HTTPException) -> Response[dict[str, str]]:
    """Translate what the framework raises: no route, no such method, body too large, unreadable request."""
    sentence = STATUS_SENTENCES.get(exc.status_code, INTERNAL if exc.status_code >= 500 else STATUS_SENTENCES[400])
    return _error(
        exc.status_code,
        sentence,
        error_headers(STATUS_CODES.get(exc.status_code, "bad-request"), dict(exc.headers or {})),
    )


def _answer_unexpected(request: Request[Any, Any, Any], exc: Exception) -> Response[dict[str, str]]:
    """Answer 500 and tell the log what happened; the outermost edge of every request."""
    log.error("request failed", extra={"method": request.method, "route": request.url.path}, exc_info=exc)
    return _error(500, INTERNAL, error_headers("internal"))


def _error(status: int, sentence: str, headers: dict[str, str]) -> Response[dict[str, str]]:
    return Response({"error": sentence}, status_code=status, headers=headers, media_type="application/json")
