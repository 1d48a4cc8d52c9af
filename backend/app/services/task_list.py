"""The list of tasks: filters, orders, search, pages.

Every order ascends in all its columns and ends with the id, so a page begins where one comparison of rows says, and an
index in that order leads there at once: the last page costs what the first one does.
"""

from __future__ import annotations

import base64
import re
import struct
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias, get_args

import sqlalchemy as sa

from app.db.base import casefolded
from app.models.tasks import PRIORITIES, STATUSES, tasks
from app.services.documents import task_document
from app.services.search import holds, may_hold

if TYPE_CHECKING:
    from collections.abc import Sequence

Sort: TypeAlias = Literal["updated", "created", "priority", "status"]
SORTS: Final[tuple[str, ...]] = get_args(Sort)
UNASSIGNED: Final = "unassigned"
WINDOW: Final = 2_000
"""Tasks of a list that a search for one page looks at before it asks the index.

What is found often is found there; what is found seldom is found by the index in about as many steps. The index alone
would have to name every task that holds a common word, only to show the first few.
"""

_ORDERS: Final = {
    "updated": ("updated_order", "created_order", "id"),
    "created": ("created_order", "id"),
    "priority": ("priority_rank", "created_order", "id"),
    "status": ("status_rank", "created_order", "id"),
}
_SHOWN: Final = (
    "id",
    "title",
    "description",
    "status",
    "priority",
    "assignee_id",
    "gear_id",
    "blocking_reason",
    "created_at",
    "updated_at",
)
_PLACE: Final = struct.Struct(">qqhh16s")
CURSOR: Final = "[A-Za-z0-9_-]{48}"
"""Base64 of a place: every such text is one, whoever made it up."""


class Place(NamedTuple):
    """Where a task stands, in whatever order; a cursor is such a place, so it fits every order and every filter."""

    updated_order: int
    created_order: int
    priority_rank: int
    status_rank: int
    id: str

    def to_cursor(self) -> str:
        """Return it as the text that clients hand back."""
        packed = _PLACE.pack(*self[:-1], uuid.UUID(self.id).bytes)
        return base64.urlsafe_b64encode(packed).decode()

    @classmethod
    def from_cursor(cls, cursor: str) -> Place:
        """Read a cursor.

        Raises:
            ValueError: it is none.
        """
        if not re.fullmatch(CURSOR, cursor):
            raise ValueError("Input should be a cursor from a Link header")
        *numbers, identifier = _PLACE.unpack(base64.urlsafe_b64decode(cursor))
        return cls._make([*numbers, str(uuid.UUID(bytes=identifier))])


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQuery:
    """Which tasks are wanted; None where anything will do."""

    status: str | None = None
    priority: str | None = None
    assignee: str | None = None
    """UUID of a member, or `UNASSIGNED`."""
    search: str | None = None
    sort: Sort = "updated"
    limit: int | None = None
    after: Place | None = None


class Page(NamedTuple):
    """JSON texts of tasks, and the place after which the next page begins; None at the end."""

    documents: list[str]
    end: Place | None


def read_page(connection: sa.Connection, query: TaskQuery) -> Page:
    """Return the wanted tasks: all of them, or a page if there is a limit."""
    needle = casefolded((query.search or "").strip())
    if not needle:
        return _page(query, _run(connection, query, _wanted(query)))
    dialect = connection.dialect.name
    if query.limit is not None:
        nearest = _wanted(query).limit(WINDOW).subquery("tasks")
        rows = _run(connection, query, sa.select(nearest).where(holds(dialect, nearest.c.searched, needle)))
        if len(rows) > query.limit:
            return _page(query, rows)
    found = _wanted(query).where(may_hold(dialect, needle), holds(dialect, tasks.c.searched, needle))
    return _page(query, _run(connection, query, found))


def _wanted(query: TaskQuery) -> sa.Select[Any]:
    """Select the rows that pass the filters and lie behind the cursor, in their order."""
    columns = [tasks.c[name] for name in (*_SHOWN, "searched", *Place._fields[:-1])]
    statement = sa.select(*columns).where(*_filters(query))
    if query.after is not None:
        order = _ORDERS[query.sort]
        statement = statement.where(
            sa.tuple_(*(tasks.c[name] for name in order)) > sa.tuple_(*(getattr(query.after, name) for name in order))
        )
    return statement.order_by(*_order(query, tasks.c))


def _filters(query: TaskQuery) -> list[sa.ColumnElement[bool]]:
    filters = []
    if query.status is not None:
        filters.append(tasks.c.status_rank == STATUSES.index(query.status))
    if query.priority is not None:
        filters.append(tasks.c.priority_rank == PRIORITIES.index(query.priority))
    if query.assignee == UNASSIGNED:
        filters.append(tasks.c.assignee_id.is_(None))
    elif query.assignee is not None:
        filters.append(tasks.c.assignee_id == query.assignee)
    return filters


def _order(query: TaskQuery, columns: Any) -> list[sa.ColumnElement[Any]]:
    order = [columns[name] for name in _ORDERS[query.sort]]
    # PostgreSQL does not conclude from IS NULL that the index, which begins with this column, has the right order
    return [columns.assignee_id, *order] if query.assignee == UNASSIGNED else order


def _run(connection: sa.Connection, query: TaskQuery, wanted: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
    """Read the JSON and the place of each row; one more than the limit tells whether there is another page."""
    if query.limit is not None:
        wanted = wanted.limit(query.limit + 1)
    # a query in the query, so that JSON is made of the rows that are shown and of no others
    rows = wanted.subquery("tasks")
    document = task_document(connection.dialect.name, with_updates=False)
    places = [rows.c[name] for name in Place._fields]
    return connection.execute(sa.select(document, *places).order_by(*_order(query, rows.c))).all()


def _page(query: TaskQuery, rows: Sequence[sa.Row[Any]]) -> Page:
    shown = rows if query.limit is None else rows[: query.limit]
    more = len(rows) > len(shown)
    return Page([row[0] for row in shown], Place._make(shown[-1][1:]) if more else None)
