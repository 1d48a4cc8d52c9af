"""HTTP for tasks."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.params import Parameter

from app.api.conditional import IfMatch, if_match_document
from app.api.documents import LINK, many, many_streamed, next_link, one
from app.api.idempotency import Once
from app.api.openapi import ETAG, JsonBody, errors, uuids_in_path
from app.api.query import checked_query, query_parameter, repeated_parameter
from app.core.exceptions import ValidationError
from app.core.validation import INSTANT, Rule, check_uuid, integer, one_of, text
from app.models.tasks import PRIORITIES, STATUSES
from app.schemas.tasks import GEAR_ID, Task, TaskCounts, TaskCreate, TaskUpdate
from app.services.work.task_list import CURSOR, MAX_LIMIT, SORTS, UNASSIGNED, Place, TaskQuery
from app.services.work.tasks import Tasks

_ANY_LENGTH: Final = 1 << 20
_HEX: Final = "[0-9a-fA-F]"


def _assignee(value: str) -> str:
    try:
        return value if value == UNASSIGNED else check_uuid(value)
    except ValueError:
        raise ValidationError(f"Assignee filter must be a UUID or '{UNASSIGNED}'") from None


_RULES: Final = {
    "status": one_of(*STATUSES),
    "priority": one_of(*PRIORITIES),
    "assignee": Rule(_assignee),
    "gear_id": GEAR_ID,
    "updated_since": INSTANT,
    "search": text(_ANY_LENGTH, blank=True),
    "sort": one_of(*SORTS),
    "limit": integer(1, MAX_LIMIT),
    "cursor": Rule(Place.from_cursor),
}

TaskId = Annotated[str, Parameter(schema_extra={"format": "uuid"}, description="UUID of the task")]
StatusFilter = Annotated[
    list[str] | None, repeated_parameter("Only these", name="status", type="string", enum=list(STATUSES))
]
PriorityFilter = Annotated[
    list[str] | None, repeated_parameter("Only these", name="priority", type="string", enum=list(PRIORITIES))
]
AssigneeFilter = Annotated[
    list[str] | None,
    repeated_parameter(
        f"UUID of a member, or `{UNASSIGNED}`",
        name="assignee",
        type="string",
        pattern=f"^({UNASSIGNED}|{_HEX}{{8}}(-{_HEX}{{4}}){{3}}-{_HEX}{{12}})$",
    ),
]
GearFilter = Annotated[str | None, query_parameter("Only those with this GEAR ID", **GEAR_ID.schema)]
UpdatedSince = Annotated[
    str | None, query_parameter("Only what was changed then or later", type="string", format="date-time")
]
Search = Annotated[
    str | None,
    query_parameter(
        "Text that title, description or gear id holds, without regard to case; no character has a special meaning",
        type="string",
        pattern=r"^[^\u0000]*$",
    ),
]
SortOrder = Annotated[
    str | None,
    query_parameter(
        "`updated` (by default) and `created`: newest first; `priority`: High first; `status`: To Do first",
        type="string",
        enum=list(SORTS),
    ),
]
Limit = Annotated[
    str | None, query_parameter("Tasks a page; all of them without", type="integer", minimum=1, maximum=MAX_LIMIT)
]
Cursor = Annotated[
    str | None,
    query_parameter("Where the page begins: from the `Link` of the page before", type="string", pattern=f"^{CURSOR}$"),
]


class TasksController(Controller):
    """The team's tasks."""

    path = "/tasks"
    tags = ["tasks"]
    guards = [uuids_in_path("id")]

    @get("/", sync_to_thread=True, response_headers=[LINK], responses=errors(503), summary="List tasks")
    def list_tasks(
        self,
        tasks: Tasks,
        of_status: StatusFilter = None,  # `status` is another part of the application
        priority: PriorityFilter = None,
        assignee: AssigneeFilter = None,
        gear_id: GearFilter = None,
        updated_since: UpdatedSince = None,
        search: Search = None,
        sort: SortOrder = None,
        limit: Limit = None,
        cursor: Cursor = None,
    ) -> Response[list[Task]]:
        """Filters are ANDed; daily updates are left out."""
        filters = _sent_filters(of_status, priority, assignee, gear_id, updated_since, search)
        sent = {**filters, "sort": sort, "limit": limit, "cursor": cursor}
        checked = checked_query(_RULES, sent)
        query = TaskQuery(after=checked.pop("cursor", None), **checked)
        page = tasks.page(query)
        if limit is None and page.end is not None:  # longer than any page: sent as it is read
            whole: Response[list[Task]] = many_streamed(lambda: tasks.all(query))
            return whole
        return many(page.documents, next_link("/api/v1/tasks", sent, page.end))

    @get("/counts", sync_to_thread=True, responses=errors(503), summary="Count tasks")
    def count_tasks(
        self,
        tasks: Tasks,
        of_status: StatusFilter = None,
        priority: PriorityFilter = None,
        assignee: AssigneeFilter = None,
        gear_id: GearFilter = None,
        updated_since: UpdatedSince = None,
        search: Search = None,
    ) -> TaskCounts:
        """Those that the list shows under the same filters, by status and by priority."""
        filters = _sent_filters(of_status, priority, assignee, gear_id, updated_since, search)
        return msgspec.convert(tasks.counts(TaskQuery(**checked_query(_RULES, filters)))._asdict(), TaskCounts)

    @post(
        "/",
        dto=JsonBody[TaskCreate],
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 413, 422, 503),
        summary="Add a task",
    )
    def create_task(self, data: TaskCreate, tasks: Tasks, once: Once) -> Response[Task]:
        """A blocked one needs a reason."""
        return once(data, lambda: one(tasks.create(data), 201))

    @get(
        "/{id:str}",
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 404, 503),
        summary="Read a task",
    )
    def get_task(self, id: TaskId, tasks: Tasks) -> Response[Task]:  # noqa: A002 - the path's name
        """One task with its daily updates."""
        return one(tasks.get(id))

    @patch(
        "/{id:str}",
        dto=JsonBody[TaskUpdate],
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 404, 412, 413, 503),
        summary="Change a task",
    )
    def update_task(
        self,
        id: TaskId,  # noqa: A002
        data: TaskUpdate,
        tasks: Tasks,
        if_match_header: IfMatch = None,
    ) -> Response[Task]:
        """Only what is present changes; the answer is the whole task."""
        return one(tasks.update(id, data, if_match_document(if_match_header)))

    @delete("/{id:str}", sync_to_thread=True, responses=errors(400, 404, 412, 503), summary="Delete a task")
    def delete_task(self, id: TaskId, tasks: Tasks, if_match_header: IfMatch = None) -> None:  # noqa: A002
        """Its sub-tasks and daily updates go with it."""
        tasks.delete(id, if_match_document(if_match_header))


def _sent_filters(
    of_status: list[str] | None,
    priority: list[str] | None,
    assignee: list[str] | None,
    gear_id: str | None,
    updated_since: str | None,
    search: str | None,
) -> dict[str, str | list[str] | None]:
    """Name the filters that a list and its counts share, in the order in which they are checked."""
    return {
        "status": of_status,
        "priority": priority,
        "assignee": assignee,
        "gear_id": gear_id,
        "updated_since": updated_since,
        "search": search,
    }
