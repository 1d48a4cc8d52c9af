"""The applications of a process: Litestar, its routes, its dependencies. Importing this module does no work.

There are two halves, so that the team's work is served before anything is loaded that a list of members does not need,
and the gate passes each path to the half that has it. Each half is made of several applications, built when called.
"""

from __future__ import annotations

import tempfile
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from litestar import Litestar, Router
from litestar.concurrency import set_asyncio_executor
from litestar.di import Provide
from litestar.plugins.core import MsgspecDIPlugin
from litestar.types import Scope

from app.api import work as work_routes
from app.api.areas import OTHERS, Areas
from app.api.errors import EXCEPTION_HANDLERS
from app.api.guards import caller_of
from app.api.health import HealthController
from app.api.idempotency import provide_once
from app.api.openapi import LAUNCH_TOKEN, StructSchemas
from app.api.page import asset, page
from app.api.query import known_query
from app.api.threads import CallThreads
from app.core.caller import GATEWAY, Caller
from app.parts.work import WorkParts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from litestar.openapi.config import OpenAPIConfig
    from litestar.plugins import PluginProtocol

    from app.parts.secrets import SecretsParts

    _Routes = Mapping[tuple[str, ...], Sequence[Any]]

MAX_BODY_BYTES: Final = 1 << 20
V1: Final = "/api/v1"


def work_app(work: WorkParts) -> Areas[Litestar]:
    """Make the application of the work half around its running parts; not in an event loop."""
    set_asyncio_executor(CallThreads())  # type: ignore[arg-type]  # it wants an `Executor` only
    areas = _areas({(OTHERS,): [page, asset], ("/health",): [HealthController]}, work_routes.AREAS, work)
    areas.at("/health")  # whoever launched the process asks; and it loads what building any of them takes
    return areas


def secrets_app(work: WorkParts, secrets: SecretsParts) -> Areas[Litestar]:
    """Make the application of everything else."""
    from app.api import secrets as secrets_routes
    from app.api.api_keys import UserKeysController
    from app.api.gateway import gateway_handler
    from app.api.schema import schema_handler

    own: dict[tuple[str, ...], Sequence[Any]] = {
        (OTHERS,): [schema_handler(described_app)],
        (GATEWAY,): [gateway_handler(secrets.gateway)],
        (UserKeysController.path,): [UserKeysController],
    }
    return _areas(own, secrets_routes.AREAS, work, secrets)


def described_app(openapi: OpenAPIConfig) -> Litestar:
    """Build one application of all routes that are described; it is never run, and nothing is read or written."""
    from app.api import secrets as secrets_routes
    from app.api.api_keys import UserKeysController
    from app.core.config import Config
    from app.core.readiness import Readiness
    from app.db.session import Database
    from app.parts.secrets import assemble as assemble_secrets
    from app.parts.work import assemble as assemble_work
    from app.sidecar.startup import Startup

    nowhere = Path(tempfile.gettempdir())
    config = Config(config_dir=nowhere, data_dir=nowhere)
    readiness = Readiness()
    database = Database(readiness)
    work = assemble_work(
        config,
        readiness,
        database,
        Startup(config, readiness, database),
        instance="",
        stop=lambda: None,
        want_rest=lambda: None,
    )
    secrets = assemble_secrets(config, database, work)
    described = [each for areas in (work_routes.AREAS, secrets_routes.AREAS) for of in areas.values() for each in of]
    routes = [HealthController, UserKeysController, _v1(described)]
    return _application(routes, work, secrets, openapi=openapi)


class _Litestar(Litestar):
    """An application without the plugins for models of other libraries, which none of ours are.

    Litestar loads Pydantic for them wherever it happens to be installed: a tenth of a second, and ten megabytes.
    """

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


class _OwnRouter(Router):
    """A router that belongs to one application, which so needs no copy of it and of every handler in it."""

    def __deepcopy__(self, memo: object) -> _OwnRouter:
        return self


def _areas(own: _Routes, below_v1: _Routes, work: WorkParts, *more: SecretsParts) -> Areas[Litestar]:
    """Make the application of a half of routes by the paths at and below which they serve."""
    makers: dict[str, Callable[[], Litestar]] = {}
    for roots, routes in own.items():
        makers |= dict.fromkeys(roots, cache(partial(_application, routes, work, *more)))
    for roots, routes in below_v1.items():
        make = cache(partial(_build_below_v1, routes, work, *more))
        makers |= {f"{V1}{root}": make for root in roots}
    return Areas(makers)


def _build_below_v1(controllers: Sequence[Any], work: WorkParts, *more: SecretsParts) -> Litestar:
    return _application([_v1(controllers)], work, *more)


def _v1(controllers: Sequence[Any]) -> Router:
    return _OwnRouter(V1, route_handlers=controllers, guards=[known_query], security=LAUNCH_TOKEN)


def _application(
    routes: Sequence[Any], work: WorkParts, *more: SecretsParts, openapi: OpenAPIConfig | None = None
) -> Litestar:
    """Build an application whose handlers may ask for each of the parts by name."""
    halves: tuple[WorkParts | SecretsParts, ...] = (work, *more)
    parts = {name: _given(getattr(half, name)) for half in halves for name in half.__struct_fields__}
    return _Litestar(
        route_handlers=routes,
        dependencies={
            "caller": Provide(_caller, sync_to_thread=False),
            "once": provide_once(work.answers),
            **parts,
        },
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=openapi,
        plugins=[] if openapi is None else [StructSchemas()],
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
    )


def _caller(scope: Scope) -> Caller:
    return caller_of(scope)


def _given(value: Any) -> Provide:
    return Provide(lambda: value, use_cache=True, sync_to_thread=False)
