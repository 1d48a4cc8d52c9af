"""Query parameters: those that a call knows, once each, and the rules they keep to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from litestar.params import QueryParameter

from app.core.exceptions import ValidationError
from app.core.validation import Rule, checked_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar.connection import ASGIConnection
    from litestar.handlers import BaseRouteHandler

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")


def query_parameter(description: str, *, name: str | None = None, **schema: Any) -> Any:
    """Describe a query parameter; it arrives as text, and our own rules check it. `name`: unless the handler's word."""
    return QueryParameter(name=name, description=description, schema_extra={"one_of": None, **schema})


def repeated_parameter(description: str, *, name: str, **schema: Any) -> Any:
    """Describe a query parameter that may come several times; any of its values will do."""
    return query_parameter(f"{description}; repeated: any of them", name=name, type="array", items=schema)


def known_query(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Refuse a GET whose query has a parameter that is unknown, or doubled though one value is all it can have.

    A guard for every call: a filter that is silently ignored misleads.
    """
    if connection.scope.get("method") != "GET" or not connection.scope["query_string"]:
        return
    known, seen = _known(handler), set()
    for name, _ in connection.query_params.multi_items():
        if name not in known or name in connection.path_params or (name in seen and not known[name]):
            raise ValidationError(f"{_told(name)}: Unknown parameter")
        seen.add(name)


_of_functions: Final[dict[object, dict[str, bool]]] = {}
"""By the function that a handler calls: the framework gives a guard a copy of the handler with each call."""


def _known(handler: BaseRouteHandler) -> dict[str, bool]:
    """Return the parameters that a handler describes, and whether each may be repeated."""
    known = _of_functions.get(handler.fn)
    if known is None:
        known = _of_functions[handler.fn] = _described(handler)
    return known


def _described(handler: BaseRouteHandler) -> dict[str, bool]:
    known = {}
    for name, field in handler.parsed_fn_signature.parameters.items():
        described = field.kwarg_definition
        if isinstance(described, QueryParameter):
            known[described.name or name] = (described.schema_extra or {}).get("type") == "array"
    return known


def _told(name: str) -> str:
    """Return how a sentence calls a parameter: by its name if it looks like one, for anything else may be a secret."""
    return f"query.{name}" if _NAME.fullmatch(name) else "query"


def checked_query(rules: Mapping[str, Rule], sent: Mapping[str, str | list[str] | None]) -> dict[str, Any]:
    """Apply the rules to what was sent of the parameters, in their order there; what was not is left out.

    Raises:
        ValidationError: ``query.<name>: <what is wrong>``.
    """
    return {name: _checked(name, rules[name], value) for name, value in sent.items() if value is not None}


def _checked(name: str, rule: Rule, value: str | list[str]) -> Any:
    if isinstance(value, list):
        return tuple(checked_value(f"query.{name}", rule, each) for each in value)
    return checked_value(f"query.{name}", rule, value)
