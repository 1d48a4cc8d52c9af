"""HTTP for daily updates."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, Response, delete, patch, post
from litestar.params import Parameter

from app.api.conditional import IfMatch, if_match_document
from app.api.documents import one
from app.api.idempotency import Once
from app.api.openapi import ETAG, JsonBody, errors, uuids_in_path
from app.schemas.updates import DailyUpdate, DailyUpdateChange, DailyUpdateCreate
from app.services.work.updates import DailyUpdates

TaskId = Annotated[str, Parameter(schema_extra={"format": "uuid"}, description="UUID of the task")]
UpdateId = Annotated[str, Parameter(schema_extra={"format": "uuid"}, description="UUID of the daily update")]


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
        """The author has to be a member."""
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
