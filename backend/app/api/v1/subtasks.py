"""HTTP for sub-tasks."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, Response, delete, patch, post, put
from litestar.params import Parameter

from app.api.conditional import IfMatch, if_match_document
from app.api.documents import many, one
from app.api.idempotency import Once
from app.api.openapi import ETAG, JsonBody, errors, uuids_in_path
from app.schemas.subtasks import SubTask, SubTaskCreate, SubTaskOrder, SubTaskUpdate
from app.services.work.subtasks import SubTasks

TaskId = Annotated[str, Parameter(schema_extra={"format": "uuid"}, description="UUID of the task")]
SubTaskId = Annotated[str, Parameter(schema_extra={"format": "uuid"}, description="UUID of the sub-task")]


class SubTasksController(Controller):
    """The steps of a task."""

    path = "/tasks/{task_id:str}/subtasks"
    tags = ["tasks"]
    guards = [uuids_in_path("task_id", "sid")]

    @post(
        "/",
        dto=JsonBody[SubTaskCreate],
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 404, 413, 422, 503),
        summary="Add a sub-task",
    )
    def create_sub_task(
        self, task_id: TaskId, data: SubTaskCreate, sub_tasks: SubTasks, once: Once
    ) -> Response[SubTask]:
        """At the end; a task has at most 20."""
        return once(data, lambda: one(sub_tasks.create(task_id, data.title), 201))

    @put(
        "/reorder",
        dto=JsonBody[SubTaskOrder],
        sync_to_thread=True,
        responses=errors(400, 404, 413, 503),
        summary="Reorder sub-tasks",
    )
    def reorder_sub_tasks(self, task_id: TaskId, data: SubTaskOrder, sub_tasks: SubTasks) -> Response[list[SubTask]]:
        """Names each one exactly once; the answer is all of them in their new order."""
        return many(sub_tasks.reorder(task_id, data.sub_task_ids))

    @patch(
        "/{sid:str}",
        dto=JsonBody[SubTaskUpdate],
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 404, 412, 413, 503),
        summary="Rename a sub-task",
    )
    def rename_sub_task(
        self,
        task_id: TaskId,
        sid: SubTaskId,
        data: SubTaskUpdate,
        sub_tasks: SubTasks,
        if_match_header: IfMatch = None,
    ) -> Response[SubTask]:
        """The same title changes nothing."""
        return one(sub_tasks.rename(task_id, sid, data.title, if_match_document(if_match_header)))

    @patch(
        "/{sid:str}/toggle",
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 404, 412, 503),
        summary="Tick a sub-task, or untick it",
    )
    def toggle_sub_task(
        self, task_id: TaskId, sid: SubTaskId, sub_tasks: SubTasks, if_match_header: IfMatch = None
    ) -> Response[SubTask]:
        """A body is ignored."""
        return one(sub_tasks.toggle(task_id, sid, if_match_document(if_match_header)))

    @delete("/{sid:str}", sync_to_thread=True, responses=errors(400, 404, 412, 503), summary="Delete a sub-task")
    def delete_sub_task(
        self, task_id: TaskId, sid: SubTaskId, sub_tasks: SubTasks, if_match_header: IfMatch = None
    ) -> None:
        """Those behind it close up."""
        sub_tasks.delete(task_id, sid, if_match_document(if_match_header))
