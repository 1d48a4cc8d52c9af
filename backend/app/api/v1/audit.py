"""HTTP for the audit log."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Controller, Response, get

from app.api.openapi import errors, query_parameter
from app.core.validation import Rule, checked_value, integer, one_of, text
from app.schemas.audit import AuditPage, Verification
from app.schemas.vault import OWNER_KINDS
from app.services.audit.log import ACTIONS, Audit

_OWNER_KIND = one_of(*OWNER_KINDS)
_OWNER_ID = text(64)
_ACTION = one_of(*ACTIONS)
_LIMIT = integer(1, 500)
_CURSOR = integer(1, 10**18 - 1)
DEFAULT_LIMIT = 50
_NO_STORE = {"Cache-Control": "no-store"}


OwnerKind = Annotated[str | None, query_parameter("Kind of owner", type="string", enum=list(OWNER_KINDS))]
OwnerId = Annotated[
    str | None,
    query_parameter("Id of the owner", type="string", min_length=1, max_length=64, pattern=_OWNER_ID.schema["pattern"]),
]
Action = Annotated[str | None, query_parameter("What was done", type="string", enum=list(ACTIONS))]
Limit = Annotated[
    str | None, query_parameter(f"Entries a page; {DEFAULT_LIMIT} by default", type="integer", minimum=1, maximum=500)
]
Cursor = Annotated[
    str | None, query_parameter("`next_cursor` of the page before", type="string", pattern="^[1-9][0-9]{0,17}$")
]


class AuditController(Controller):
    """Who did what with which secret."""

    path = "/audit"
    tags = ["vault"]

    @get("/", sync_to_thread=True, responses=errors(400, 503), summary="Read the audit log")
    def list_entries(
        self,
        audit: Audit,
        owner_kind: OwnerKind = None,
        owner_id: OwnerId = None,
        action: Action = None,
        limit: Limit = None,
        cursor: Cursor = None,
    ) -> Response[AuditPage]:
        """Newest first."""
        page = audit.page(
            owner_kind=_checked("owner_kind", _OWNER_KIND, owner_kind),
            owner_id=_checked("owner_id", _OWNER_ID, owner_id),
            action=_checked("action", _ACTION, action),
            limit=_checked("limit", _LIMIT, limit) or DEFAULT_LIMIT,
            cursor=_checked("cursor", _CURSOR, cursor),
        )
        return Response(page, headers=_NO_STORE)

    @get("/verify", sync_to_thread=True, responses=errors(503), summary="Verify the audit log")
    def verify(self, audit: Audit) -> Response[Verification]:
        """Every entry is read; whatever was edited, deleted, inserted, moved or cut off shows."""
        return Response(audit.verify(), headers=_NO_STORE)


def _checked(name: str, rule: Rule, value: str | None) -> Any:
    return None if value is None else checked_value(f"query.{name}", rule, value)
