"""HTTP for the usage of AI providers."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any

from litestar import Controller, Response, get

from app.api.openapi import errors, query_parameter
from app.core.validation import Rule, checked_value, integer, one_of, text
from app.schemas.usage import UsagePage
from app.services.gateway.usage import CURSOR, Usage, read_cursor
from app.services.providers import KEY_OWNERS, PROVIDERS

DEFAULT_LIMIT = 100
MAX_LIMIT = 500
MAX_OWNER_ID_CHARS = 255
_NO_STORE = {"Cache-Control": "no-store"}


def _check_day(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        try:
            return dt.date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    raise ValueError("Input should be a valid date, YYYY-MM-DD")


_OWNER_KIND = one_of(*KEY_OWNERS)
_OWNER_ID = text(MAX_OWNER_ID_CHARS)
_PROVIDER = one_of(*PROVIDERS)
_DAY = Rule(_check_day)
_LIMIT = integer(1, MAX_LIMIT)
_CURSOR = Rule(read_cursor)


OwnerKind = Annotated[str | None, query_parameter("Kind of owner", type="string", enum=list(KEY_OWNERS))]
OwnerId = Annotated[
    str | None,
    query_parameter(
        "Id of the owner", type="string", min_length=1, max_length=255, pattern=_OWNER_ID.schema["pattern"]
    ),
]
ProviderName = Annotated[str | None, query_parameter("Provider", type="string", enum=list(PROVIDERS))]
FirstDay = Annotated[str | None, query_parameter("First day, in UTC", name="from", type="string", format="date")]
LastDay = Annotated[str | None, query_parameter("Last day, in UTC", name="to", type="string", format="date")]
Limit = Annotated[
    str | None,
    query_parameter(f"Items a page; {DEFAULT_LIMIT} by default", type="integer", minimum=1, maximum=MAX_LIMIT),
]
Cursor = Annotated[
    str | None, query_parameter("`next_cursor` of the page before", type="string", pattern=f"^{CURSOR}$")
]


class UsageController(Controller):
    """What went through the gateway."""

    path = "/usage"
    tags = ["ai"]

    @get("/", sync_to_thread=True, responses=errors(400, 503), summary="Read what was used")
    def list_usage(
        self,
        usage: Usage,
        owner_kind: OwnerKind = None,
        owner_id: OwnerId = None,
        provider: ProviderName = None,
        first_day: FirstDay = None,
        last_day: LastDay = None,
        limit: Limit = None,
        cursor: Cursor = None,
    ) -> Response[UsagePage]:
        """Calls and tokens by owner, provider, model and day; the latest day first."""
        page = usage.page(
            owner_kind=_checked("owner_kind", _OWNER_KIND, owner_kind),
            owner_id=_checked("owner_id", _OWNER_ID, owner_id),
            provider=_checked("provider", _PROVIDER, provider),
            first_day=_checked("from", _DAY, first_day),
            last_day=_checked("to", _DAY, last_day),
            limit=_checked("limit", _LIMIT, limit) or DEFAULT_LIMIT,
            cursor=_checked("cursor", _CURSOR, cursor),
        )
        return Response(page, headers=_NO_STORE)


def _checked(name: str, rule: Rule, value: str | None) -> Any:
    return None if value is None else checked_value(f"query.{name}", rule, value)
