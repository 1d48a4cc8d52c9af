"""HTTP for tasks."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import urlencode

from litestar import Controller, Response, delete, get, patch, post
from litestar.datastructures import ResponseHeader
from litestar.params import Parameter

from app.api.conditional import IfMatch, if_match_document
from app.api.documents import many, one
from app.api.idempotency import Once
from app.api.openapi import ETAG, JsonBody, errors, query_parameter, uuids_in_path
from app.core.exceptions import ValidationError
from app.core.validation import Rule, check_uuid, checked_value, integer, one_of, text
from app.models.tasks import PRIORITIES, STATUSES
from app.schemas.tasks import Task, TaskCreate, TaskUpdate
from app.services.work.task_list import CURSOR, SORTS, UNASSIGNED, Place, TaskQuery
from app.services.work.tasks import Tasks

MAX_LIMIT: Final = 500
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
    "search": text(_ANY_LENGTH, blank=True),
    "sort": one_of(*SORTS),
    "limit": integer(1, MAX_LIMIT),
    "cursor": Rule(Place.from_cursor),
}
"""In the order in which they are checked."""

TaskId = Annotated[str, Parameter(schema_extra={"format": "uuid"}, description="UUID of the task")]
StatusFilter = Annotated[str | None, query_parameter("Only these", name="status", type="string", enum=list(STATUSES))]
PriorityFilter = Annotated[str | None, query_parameter("Only these", type="string", enum=list(PRIORITIES))]
AssigneeFilter = Annotated[
    str | None,
    query_parameter(
        f"UUID of a member, or `{UNASSIGNED}`",
        type="string",
        pattern=f"^({UNASSIGNED}|{_HEX}{{8}}(-{_HEX}{{4}}){{3}}-{_HEX}{{12}})$",
    ),
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
LINK: Final = ResponseHeader(
    name="Link", value="", description='`<...>; rel="next"` where there is a next page', documentation_only=True
)


class TasksController(Controller):
    """The team's tasks."""

    path = "/tasks"
    tags = ["tasks"]
    guards = [uuids_in_path("id")]

    @get("/", sync_to_thread=True, response_headers=[LINK], responses=errors(400, 503), summary="List tasks")
    def list_tasks(
        self,
        tasks: Tasks,
        of_status: StatusFilter = None,  # `status` is another part of the application
        priority: PriorityFilter = None,
        assignee: AssigneeFilter = None,
        search: Search = None,
        sort: SortOrder = None,
        limit: Limit = None,
        cursor: Cursor = None,
    ) -> Response[list[Task]]:
        """Filters are ANDed; daily updates are left out."""
        sent = {
            "status": of_status,
            "priority": priority,
            "assignee": assignee,
            "search": search,
            "sort": sort,
            "limit": limit,
            "cursor": cursor,
        }
        given = {name: value for name, value in sent.items() if value is not None}
        checked = {name: checked_value(f"query.{name}", _RULES[name], value) for name, value in given.items()}
        page = tasks.page(TaskQuery(after=checked.pop("cursor", None), **checked))
        return many(page.documents, {} if page.end is None else {"Link": _next_link(given, page.end)})

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


def _next_link(given: dict[str, Any], end: Place) -> str:
    """Point to the next page of the same list."""
    return f'</api/v1/tasks?{urlencode({**given, "cursor": end.to_cursor()})}>; rel="next"'
