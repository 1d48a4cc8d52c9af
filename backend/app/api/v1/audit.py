"""HTTP for the audit log."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, Response, get

from app.api.openapi import errors
from app.api.query import checked_query, query_parameter
from app.core.validation import integer, one_of, text
from app.schemas.audit import AuditPage, Verification
from app.schemas.vault import OWNER_KINDS
from app.services.audit.log import ACTIONS, Audit

_OWNER_ID = text(64)
_RULES = {
    "owner_kind": one_of(*OWNER_KINDS),
    "owner_id": _OWNER_ID,
    "action": one_of(*ACTIONS),
    "limit": integer(1, 500),
    "cursor": integer(1, 10**18 - 1),
}
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
        sent = {"owner_kind": owner_kind, "owner_id": owner_id, "action": action, "limit": limit, "cursor": cursor}
        page = audit.page(**{"limit": DEFAULT_LIMIT, **checked_query(_RULES, sent)})
        return Response(page, headers=_NO_STORE)

    @get("/verify", sync_to_thread=True, responses=errors(503), summary="Verify the audit log")
    def verify(self, audit: Audit) -> Response[Verification]:
        """Every entry is read; whatever was edited, deleted, inserted, moved or cut off shows."""
        return Response(audit.verify(), headers=_NO_STORE)
