"""HTTP for the usage of AI providers."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated

from litestar import Controller, Response, get

from app.api.openapi import errors
from app.api.query import checked_query, query_parameter
from app.core.validation import Rule, integer, one_of, text
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


_OWNER_ID = text(MAX_OWNER_ID_CHARS)
_RULES = {
    "owner_kind": one_of(*KEY_OWNERS),
    "owner_id": _OWNER_ID,
    "provider": one_of(*PROVIDERS),
    "from": Rule(_check_day),
    "to": Rule(_check_day),
    "limit": integer(1, MAX_LIMIT),
    "cursor": Rule(read_cursor),
}


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
        sent = {
            "owner_kind": owner_kind,
            "owner_id": owner_id,
            "provider": provider,
            "from": first_day,
            "to": last_day,
            "limit": limit,
            "cursor": cursor,
        }
        checked = checked_query(_RULES, sent)
        page = usage.page(
            owner_kind=checked.get("owner_kind"),
            owner_id=checked.get("owner_id"),
            provider=checked.get("provider"),
            first_day=checked.get("from"),
            last_day=checked.get("to"),
            limit=checked.get("limit", DEFAULT_LIMIT),
            cursor=checked.get("cursor"),
        )
        return Response(page, headers=_NO_STORE)
