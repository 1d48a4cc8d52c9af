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
from app.services.work.documents import task_document
from app.services.work.search import has_few_candidates, holds, may_hold

if TYPE_CHECKING:
    from collections.abc import Sequence

    _Condition: TypeAlias = sa.ColumnElement[bool] | sa.TextClause

Sort: TypeAlias = Literal["updated", "created", "priority", "status"]
SORTS: Final[tuple[str, ...]] = get_args(Sort)
UNASSIGNED: Final = "unassigned"
NEAR: Final = 500
"""Tasks that a search for one page looks at, in the order of the list, before it asks the index."""
FEW: Final = 1_000
"""Tasks that the index may name for them to be looked at rather than those in the order of the list.

With as many among a hundred thousand, one way to a page takes about as many steps as the other.
"""

_ORDERS: Final = {
    "updated": ("updated_order", "created_order", "id"),
    "created": ("created_order", "id"),
    "priority": ("priority_rank", "created_order", "id"),
    "status": ("status_rank", "created_order", "id"),
}
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


_SHOWN: Final = [column for column in tasks.c if column is not tasks.c.searched]
_OF_QUERY: Final = {name: sa.literal_column(f"tasks.{name}", tasks.c[name].type) for name in Place._fields}
"""Columns of a query named `tasks`; to ask it for them would take longer than to run it."""
_SEARCHED: Final = sa.literal_column("tasks.searched", tasks.c.searched.type)


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
        wanted = _filters(query)
    elif query.limit is None:
        wanted = _named_by_index(connection, query, needle)
    else:
        return _searched_page(connection, query, needle)
    return _all(connection, query, wanted) if query.limit is None else _shown(connection, query, _select(query, wanted))


def _searched_page(connection: sa.Connection, query: TaskQuery, needle: str) -> Page:
    """Search for one page.

    The first tasks that hold a common word are soon met in the order of the list, where the index would name all of
    them, to show a few. What is rare would be met late or never, so the index names it.
    """
    dialect = connection.dialect.name
    nearest = _select(query, _filters(query), tasks.c.searched).limit(NEAR).subquery("tasks")
    holding: sa.Select[Any] = sa.select(sa.literal_column("*")).select_from(nearest)
    holding = holding.where(holds(dialect, _SEARCHED, needle)).order_by(*_order(query, _OF_QUERY))
    page = _shown(connection, query, holding)
    if page.end is not None:
        return page
    if has_few_candidates(connection, needle, FEW):
        wanted = _named_by_index(connection, query, needle)
    else:
        wanted = [*_filters(query), holds(dialect, tasks.c.searched, needle)]
    return _shown(connection, query, _select(query, wanted))


def _named_by_index(connection: sa.Connection, query: TaskQuery, needle: str) -> list[_Condition]:
    dialect = connection.dialect.name
    return [*_filters(query, indexed=False), may_hold(dialect, needle), holds(dialect, tasks.c.searched, needle)]


def _filters(query: TaskQuery, *, indexed: bool = True) -> list[_Condition]:
    """Return what the filters and the cursor ask for.

    At most one of them by an index: two would have to be read in full before the first task of a page is known.
    """
    filters: list[_Condition] = []
    if query.assignee is not None:
        filters.append(tasks.c.assignee_id == (None if query.assignee == UNASSIGNED else query.assignee))
    for column, words, wanted in (
        (tasks.c.status_rank, STATUSES, query.status),
        (tasks.c.priority_rank, PRIORITIES, query.priority),
    ):
        if wanted is not None:
            passes = column == words.index(wanted)
            # no index knows the case, and planners expect that many pass it, which is true
            filters.append(passes if indexed and not filters else sa.case((passes, sa.true()), else_=sa.false()))
    if query.after is not None:
        behind = [getattr(query.after, name) for name in _ORDERS[query.sort]]
        filters.append(sa.tuple_(*_order(query, tasks.c)) > sa.tuple_(*behind))
    return filters


def _order(query: TaskQuery, columns: Any) -> list[sa.ColumnElement[Any]]:
    return [columns[name] for name in _ORDERS[query.sort]]


def _select(query: TaskQuery, conditions: Sequence[_Condition], *more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Select the wanted tasks in their order."""
    statement = sa.select(*_SHOWN, *more).where(*conditions)
    if query.assignee == UNASSIGNED:
        # PostgreSQL does not conclude from IS NULL that the index, which begins with this column, has the right order
        statement = statement.order_by(tasks.c.assignee_id)
    return statement.order_by(*_order(query, tasks.c))


def _shown(connection: sa.Connection, query: TaskQuery, wanted: sa.Select[Any]) -> Page:
    """Read a page: JSON is made of the tasks that are shown, after the others were cut off."""
    limit = query.limit or 0
    rows = wanted.limit(limit + 1).subquery("tasks")
    document = task_document(connection.dialect.name, with_updates=False)
    statement = sa.select(document, *_OF_QUERY.values()).select_from(rows).order_by(*_order(query, _OF_QUERY))
    found = connection.execute(statement).all()
    end = Place._make(found[limit - 1][1:]) if len(found) > limit else None  # the one more is not shown
    return Page([row[0] for row in found[:limit]], end)


def _all(connection: sa.Connection, query: TaskQuery, conditions: Sequence[_Condition]) -> Page:
    """Read everything that is wanted."""
    document = task_document(connection.dialect.name, with_updates=False)
    statement = sa.select(document).select_from(tasks).where(*conditions).order_by(*_order(query, tasks.c))
    return Page(list(connection.execute(statement).scalars()), None)
