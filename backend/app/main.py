"""`create_app`: Litestar, its routes, its error translation. Importing this module does no work."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from litestar import Litestar, Request, Response, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import Scope

from app.api.api_keys import UserKeysController
from app.api.gateway import gateway_handler
from app.api.guards import caller_of
from app.api.health import HealthController
from app.api.idempotency import provide_once
from app.api.openapi import LAUNCH_TOKEN, StructSchemas
from app.api.page import asset, page
from app.api.query import known_query
from app.api.schema import openapi_document
from app.api.v1.ai import AiController
from app.api.v1.ai_keys import SystemKeysController
from app.api.v1.alert_rules import AlertRulesController
from app.api.v1.audit import AuditController
from app.api.v1.auth import AuthController
from app.api.v1.cameras import CamerasController
from app.api.v1.events import EventsController
from app.api.v1.members import MembersController
from app.api.v1.servers import ServersController
from app.api.v1.settings import SettingsController
from app.api.v1.status import StatusController
from app.api.v1.subtasks import SubTasksController
from app.api.v1.tasks import TasksController
from app.api.v1.tenants import TenantsController
from app.api.v1.transfer import TransferController
from app.api.v1.updates import DailyUpdatesController, UpdatesController
from app.api.v1.usage import UsageController
from app.api.v1.vault import VaultController
from app.core.exceptions import INTERNAL, STATUS_CODES, STATUS_SENTENCES, RequestError, error_headers
from app.core.logging import get_logger
from app.core.readiness import Readiness
from app.services.ai_keys.checks import KeyChecks
from app.services.ai_keys.revalidation import Revalidation
from app.services.ai_keys.system import SystemKeyService
from app.services.ai_keys.users import UserAPIKeyManager
from app.services.alert_engine import AlertEngine
from app.services.audit.log import Audit
from app.services.connection import ConnectionService
from app.services.gateway.forwarding import Gateway
from app.services.gateway.key_choice import KeyChoice
from app.services.gateway.usage import Usage
from app.services.idempotency import KeptAnswers
from app.services.owners.memory_service import MemoryService
from app.services.owners.server_settings import ServerSettingsManager
from app.services.owners.tenants import Tenants
from app.services.status import StatusService
from app.services.targets.alert_rules import AlertRules
from app.services.targets.cameras import Cameras
from app.services.tokens import Tokens
from app.services.vault.maintenance import Maintenance
from app.services.vault.rotation import Rotations, installation
from app.services.vault.standalone import adopt_everywhere
from app.services.vault.vault import Vault
from app.services.work.events import Events
from app.services.work.members import Members
from app.services.work.subtasks import SubTasks
from app.services.work.tasks import Tasks
from app.services.work.transfer import Transfer
from app.services.work.updates import DailyUpdates
from app.sidecar.gate import Caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar.openapi.config import OpenAPIConfig

    from app.core.config import Config
    from app.db.session import Database
    from app.sidecar.startup import Startup

MAX_BODY_BYTES = 1 << 20

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """The services of one process, each made once."""

    readiness: Readiness
    status: StatusService
    connection: ConnectionService
    members: Members
    tasks: Tasks
    sub_tasks: SubTasks
    daily_updates: DailyUpdates
    events: Events
    transfer: Transfer
    answers: KeptAnswers
    audit: Audit
    vault: Vault
    rotations: Rotations
    checks: KeyChecks
    revalidation: Revalidation
    maintenance: Maintenance
    servers: ServerSettingsManager
    system_keys: SystemKeyService
    user_keys: UserAPIKeyManager
    tenants: Tenants
    tokens: Tokens
    cameras: Cameras
    alert_rules: AlertRules
    alert_engine: AlertEngine
    usage: Usage
    gateway: Gateway


def assemble(
    config: Config,
    readiness: Readiness,
    database: Database,
    startup: Startup,
    instance: str,
    *,
    stop: Callable[[], None],
) -> Parts:
    """Make the services around the running parts of the process; nothing is read or written yet."""
    audit = Audit(database, config.config_dir)
    vault = Vault(config, database, audit)
    usage = Usage(database)
    events = Events(database, readiness)
    rotations = Rotations(vault.attachment, database, audit, installation(config.config_dir))
    checks = KeyChecks(config)
    alert_rules = AlertRules(database, vault)
    revalidation = Revalidation(config, readiness, database, vault, audit, checks)
    return Parts(
        readiness=readiness,
        status=StatusService(config, readiness, vault, instance, stop),
        connection=ConnectionService(
            config.config_dir,
            startup,
            adopt=lambda ring: adopt_everywhere(config, ring, running=(vault.attachment, audit), actor="launch-token"),
        ),
        members=Members(database),
        tasks=Tasks(database),
        sub_tasks=SubTasks(database),
        daily_updates=DailyUpdates(database),
        events=events,
        transfer=Transfer(database, events),
        answers=KeptAnswers(database, installation(config.config_dir)),
        audit=audit,
        vault=vault,
        rotations=rotations,
        checks=checks,
        revalidation=revalidation,
        maintenance=Maintenance(readiness, vault, rotations, audit),
        servers=ServerSettingsManager(MemoryService(database, vault)),
        system_keys=SystemKeyService(vault),
        user_keys=UserAPIKeyManager(config, database, vault, checks),
        tenants=Tenants(database, vault, checks),
        tokens=Tokens(config),
        cameras=Cameras(database, vault),
        alert_rules=alert_rules,
        alert_engine=AlertEngine(alert_rules),
        usage=usage,
        gateway=Gateway(config, KeyChoice(config, database, vault, usage), usage, doubt=revalidation.soon),
    )


def create_app(parts: Parts, *, openapi: OpenAPIConfig | None = None) -> Litestar:
    """Build the ASGI application around the running parts of the process; `openapi` makes it describe itself."""
    v1 = Router(
        "/api/v1",
        route_handlers=[
            StatusController,
            SettingsController,
            MembersController,
            TasksController,
            SubTasksController,
            DailyUpdatesController,
            UpdatesController,
            AiController,
            AuditController,
            EventsController,
            TransferController,
            UsageController,
            VaultController,
            ServersController,
            SystemKeysController,
            TenantsController,
            AuthController,
            CamerasController,
            AlertRulesController,
        ],
        guards=[known_query],
        security=LAUNCH_TOKEN,
    )
    # a handler that is no controller's belongs to one application only, and is not described anyway
    undescribed = [page, asset, openapi_document, gateway_handler(parts.gateway)] if openapi is None else []
    return Litestar(
        route_handlers=[*undescribed, HealthController, UserKeysController, v1],
        dependencies={
            "caller": Provide(_caller, sync_to_thread=False),
            "once": provide_once(parts.answers),
            **{part.name: _given(getattr(parts, part.name)) for part in fields(parts)},
        },
        exception_handlers={
            RequestError: _answer_request_error,
            ValidationException: _answer_missing_body,
            HTTPException: _answer_http_exception,
            Exception: _answer_unexpected,
        },
        openapi_config=openapi,
        plugins=[] if openapi is None else [StructSchemas()],
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
    )


def _caller(scope: Scope) -> Caller:
    return caller_of(scope)


def _given(value: Any) -> Provide:
    return Provide(lambda: value, use_cache=True, sync_to_thread=False)


def _answer_request_error(_: Request[Any, Any, Any], exc: RequestError) -> Response[dict[str, str]]:
    return _error(exc.status, exc.message, error_headers(exc.code, exc.headers))


def _answer_missing_body(_: Request[Any, Any, Any], __: ValidationException) -> Response[dict[str, str]]:
    """Answer a request without the body that its handler needs: the one thing that never reaches our own rules."""
    return _error(400, "body: Field required", error_headers("validation"))


def _answer_http_exception(_: Request[Any, Any, Any], exc: HTTPException) -> Response[dict[str, str]]:
    """Translate what the framework raises: no route, no such method, body too large, unreadable request."""
    sentence = STATUS_SENTENCES.get(exc.status_code, INTERNAL if exc.status_code >= 500 else STATUS_SENTENCES[400])
    headers = dict(exc.headers or {})
    if exc.status_code == 405:
        methods = set(headers.pop("allow", "").split(", "))
        headers["Allow"] = ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))
    return _error(exc.status_code, sentence, error_headers(STATUS_CODES.get(exc.status_code, "bad-request"), headers))


def _answer_unexpected(request: Request[Any, Any, Any], exc: Exception) -> Response[dict[str, str]]:
    """Answer 500 and tell the log what happened; the outermost edge of every request."""
    log.error("request failed", extra={"method": request.method, "route": request.url.path}, exc_info=exc)
    return _error(500, INTERNAL, error_headers("internal"))


def _error(status: int, sentence: str, headers: dict[str, str]) -> Response[dict[str, str]]:
    return Response({"error": sentence}, status_code=status, headers=headers, media_type="application/json")
