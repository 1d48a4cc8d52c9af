"""Guards: what is checked of a request before its body is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.caller import CALLER, LAUNCHER, Caller
from app.core.validation import Rule, checked_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar.connection import ASGIConnection
    from litestar.handlers import BaseRouteHandler

    Connection = ASGIConnection[Any, Any, Any, Any]
    Guard = Callable[[Connection, BaseRouteHandler], None]


def caller_of(scope: Any) -> Caller:
    """Return who asks, as the outermost layer found out; whoever calls the application without it is the launcher."""
    caller: Caller = scope.get(CALLER, LAUNCHER)
    return caller


def rule_in_path(name: str, rule: Rule) -> Guard:
    """Return a guard that checks a path parameter, and puts it into the form that the rule gives it."""

    def guard(connection: Connection, _: BaseRouteHandler) -> None:
        if name in connection.path_params:
            connection.path_params[name] = checked_value(f"path.{name}", rule, connection.path_params[name])

    return guard


def launcher_only(connection: Connection, _: BaseRouteHandler) -> None:
    """Refuse users' tokens."""
    caller_of(connection.scope).require_launcher()


def own_tenant(connection: Connection, _: BaseRouteHandler) -> None:
    """Refuse tokens of another tenant than the path's."""
    caller_of(connection.scope).require_owner("tenant", connection.path_params["id"])
