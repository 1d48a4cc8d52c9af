"""HTTP for daily updates."""

from __future__ import annotations

from typing import Annotated, Final

from litestar import Controller, Response, delete, get, patch, post
from litestar.params import Parameter

from app.api.conditional import IfMatch, if_match_document
from app.api.documents import LINK, many, next_link, one
from app.api.idempotency import Once
from app.api.openapi import ETAG, JsonBody, errors, uuids_in_path
from app.api.query import checked_query, query_parameter
from app.core.validation import INSTANT, Rule, check_uuid, integer
from app.schemas.updates import DailyUpdate, DailyUpdateChange, DailyUpdateCreate, ToldUpdate
from app.services.work.update_list import CURSOR, UpdatePlace, UpdateQuery
from app.services.work.updates import DailyUpdates

TaskId = Annotated[str, Parameter(schema_extra={"format": "uuid"}, description="UUID of the task")]
DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 500
_RULES: Final = {
    "author": Rule(check_uuid),
    "task": Rule(check_uuid),
    "since": INSTANT,
    "until": INSTANT,
    "limit": integer(1, MAX_LIMIT),
    "cursor": Rule(UpdatePlace.from_cursor),
}
UpdateId = Annotated[str, Parameter(schema_extra={"format": "uuid"}, description="UUID of the daily update")]


Author = Annotated[str | None, query_parameter("UUID of a member: only theirs", type="string", format="uuid")]
OfTask = Annotated[str | None, query_parameter("UUID of a task: only its own", type="string", format="uuid")]
Since = Annotated[str | None, query_parameter("Written then or later", type="string", format="date-time")]
Until = Annotated[str | None, query_parameter("Written then or earlier", type="string", format="date-time")]
Limit = Annotated[
    str | None,
    query_parameter(f"Items a page; {DEFAULT_LIMIT} by default", type="integer", minimum=1, maximum=MAX_LIMIT),
]
Cursor = Annotated[
    str | None,
    query_parameter("Where the page begins: from the `Link` of the page before", type="string", pattern=f"^{CURSOR}$"),
]


class UpdatesController(Controller):
    """What members tell of their work on any task."""

    path = "/updates"
    tags = ["tasks"]

    @get("/", sync_to_thread=True, response_headers=[LINK], responses=errors(503), summary="List daily updates")
    def list_updates(
        self,
        daily_updates: DailyUpdates,
        author: Author = None,
        task: OfTask = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = None,
        cursor: Cursor = None,
    ) -> Response[list[ToldUpdate]]:
        """Across tasks, newest first; filters are ANDed, and every answer is a page."""
        sent: dict[str, str | list[str] | None] = {
            "author": author,
            "task": task,
            "since": since,
            "until": until,
            "limit": limit,
            "cursor": cursor,
        }
        checked = {"limit": DEFAULT_LIMIT, **checked_query(_RULES, sent)}
        page = daily_updates.told(UpdateQuery(after=checked.pop("cursor", None), **checked))
        return many(page.documents, next_link("/api/v1/updates", sent, page.end))


class DailyUpdatesController(Controller):
    """What members tell of their work on a task."""

    path = "/tasks/{task_id:str}/updates"
    tags = ["tasks"]
    guards = [uuids_in_path("task_id", "uid")]

    @post(
        "/",
        dto=JsonBody[DailyUpdateCreate],
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 404, 413, 422, 503),
        summary="Add a daily update",
    )
    def create_update(
        self, task_id: TaskId, data: DailyUpdateCreate, daily_updates: DailyUpdates, once: Once
    ) -> Response[DailyUpdate]:
        """The author has to be an active member."""
        return once(data, lambda: one(daily_updates.create(task_id, data), 201))

    @patch(
        "/{uid:str}",
        dto=JsonBody[DailyUpdateChange],
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 403, 404, 412, 413, 503),
        summary="Change a daily update",
    )
    def change_update(
        self,
        task_id: TaskId,
        uid: UpdateId,
        data: DailyUpdateChange,
        daily_updates: DailyUpdates,
        if_match_header: IfMatch = None,
    ) -> Response[DailyUpdate]:
        """Within 24 hours; the same content changes nothing."""
        return one(daily_updates.update(task_id, uid, data.content, if_match_document(if_match_header)))

    @delete(
        "/{uid:str}", sync_to_thread=True, responses=errors(400, 403, 404, 412, 503), summary="Delete a daily update"
    )
    def delete_update(
        self, task_id: TaskId, uid: UpdateId, daily_updates: DailyUpdates, if_match_header: IfMatch = None
    ) -> None:
        """Within 24 hours."""
        daily_updates.delete(task_id, uid, if_match_document(if_match_header))
