"""The list of tasks: filters, orders, search, pages.

Every order ascends in all its columns and ends with the id, so a page begins where one comparison of rows says, and an
index in that order leads there at once: the last page costs what the first one does.
"""

from __future__ import annotations

import base64
import re
import struct
import uuid
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias, get_args

import msgspec
import sqlalchemy as sa

from app.db.base import casefolded
from app.db.session import STREAMED
from app.models.tasks import PRIORITIES, STATUSES, tasks
from app.services.work.common import newest_first
from app.services.work.documents import task_document
from app.services.work.search import has_few_candidates, holds, may_hold, names_few_at_once

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    _Column: TypeAlias = sa.ColumnElement[Any]
    _Condition: TypeAlias = sa.ColumnElement[bool] | sa.TextClause

Sort: TypeAlias = Literal["updated", "created", "priority", "status"]
SORTS: Final[tuple[str, ...]] = get_args(Sort)
UNASSIGNED: Final = "unassigned"
MAX_LIMIT: Final = 500
"""Tasks of the longest page."""
NEAR: Final = 500
"""Tasks that a search for one page looks at, in the order of the list, before it asks the index."""
FEW: Final = 1_000
"""Tasks that the index may name for them to be looked at rather than those in the order of the list.

With as many among a hundred thousand, one way to a page takes about as many steps as the other.
"""
MAX_WAYS: Final = 20
"""Values of one filter that are looked up one by one; of more, each task in the order of the list is asked."""

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


class TaskQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which tasks are wanted; empty or None where anything will do, several where any of them will."""

    status: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    assignee: tuple[str, ...] = ()
    """UUIDs of members, and `UNASSIGNED`."""
    gear_id: str | None = None
    updated_since: dt.datetime | None = None
    search: str = ""
    sort: Sort = "updated"
    limit: int | None = None
    after: Place | None = None


class Page(NamedTuple):
    """JSON texts of tasks, and the place after which the next page begins; None at the end."""

    documents: list[str]
    end: Place | None


def read_page(connection: sa.Connection, query: TaskQuery) -> Page:
    """Return a page of the wanted tasks; the query has a limit."""
    needle = _needle(query)
    if needle:
        return _searched_page(connection, query, needle)
    return _shown(connection, query, _first(query, (query.limit or 0) + 1))


def _needle(query: TaskQuery) -> str:
    return casefolded(query.search.strip())


def conditions_of(dialect: str, query: TaskQuery) -> list[_Condition]:
    """Return all that a wanted task fulfils; an index is meant to answer one of the conditions.

    With two, both would have to be read in full before the first task is known.
    """
    needle = _needle(query)
    if needle:
        found: list[_Condition] = [may_hold(dialect, needle), holds(dialect, tasks.c.searched, needle)]
        return [*_unindexed(_kinds(query)), *_ranges(query), *found]
    kinds = _kinds(query)
    return [*(kind.passes() for kind in kinds[:1]), *_unindexed(kinds[1:]), *_ranges(query)]


def kind_conditions(query: TaskQuery, columns: Any) -> list[_Condition]:
    """Return what the filters by assignee, status and priority ask of a table that has such columns."""
    return [kind.passes() for kind in _kinds(query, columns)]


class _Kind(NamedTuple):
    """A filter: the column has one of the values; None among them stands for NULL."""

    column: _Column
    values: tuple[Any, ...]

    def passes(self) -> sa.ColumnElement[bool]:
        if len(self.values) == 1:
            is_it: sa.ColumnElement[bool] = self.column == self.values[0]
            return is_it
        there = [value for value in self.values if value is not None]
        is_one = self.column.in_(there)
        return is_one if len(there) == len(self.values) else sa.or_(is_one, self.column.is_(None))


def _kinds(query: TaskQuery, columns: Any = tasks.c) -> list[_Kind]:
    """Return the filters by what a task is, the one that is likely to leave the fewest first."""
    kinds: list[_Kind] = []
    if query.gear_id is not None:
        kinds.append(_Kind(columns.gear_id, (query.gear_id,)))
    if query.assignee:
        members = (None if value == UNASSIGNED else value for value in dict.fromkeys(query.assignee))
        kinds.append(_Kind(columns.assignee_id, tuple(members)))
    for column, words, wanted in (
        (columns.status_rank, STATUSES, query.status),
        (columns.priority_rank, PRIORITIES, query.priority),
    ):
        if wanted:
            kinds.append(_Kind(column, tuple(sorted({words.index(word) for word in wanted}))))
    return kinds


def _unindexed(kinds: Sequence[_Kind]) -> list[_Condition]:
    """No index knows the case, and planners expect that many pass it, which is true."""
    return [sa.case((kind.passes(), sa.true()), else_=sa.false()) for kind in kinds]


def _ranges(query: TaskQuery) -> list[_Condition]:
    ranges: list[_Condition] = []
    if query.updated_since is not None:
        ranges.append(tasks.c.updated_order <= newest_first(query.updated_since))
    if query.after is not None:
        behind = [getattr(query.after, name) for name in _ORDERS[query.sort]]
        ranges.append(sa.tuple_(*_order(query, tasks.c)) > sa.tuple_(*behind))
    return ranges


def _order(query: TaskQuery, columns: Any) -> list[_Column]:
    return [columns[name] for name in _ORDERS[query.sort]]


def _select(
    query: TaskQuery, conditions: Sequence[_Condition], columns: Sequence[_Column], pinned: _Kind | None = None
) -> sa.Select[Any]:
    """Select tasks in the order of the list; of a `pinned` column they all have the same value."""
    # PostgreSQL does not conclude from IS NULL that an index which begins with the pinned column has the right order
    first = [] if pinned is None else [pinned.column]
    return sa.select(*columns).where(*conditions).order_by(*first, *_order(query, tasks.c))


def _first(query: TaskQuery, count: int, *conditions: _Condition, columns: Sequence[_Column] = _SHOWN) -> sa.Subquery:
    """Return the first `count` of the wanted tasks, as a query named `tasks`.

    Of a filter with several values each is looked up on its own, in the order of an index, and what comes first of
    all is taken: to look for those few among all tasks could mean to meet every task.
    """
    kinds = _kinds(query)
    pinned: list[_Kind | None] = [None]
    if kinds and len(kinds[0].values) <= MAX_WAYS:
        first = kinds.pop(0)
        pinned = [_Kind(first.column, (value,)) for value in first.values]
    others = [*_unindexed(kinds), *_ranges(query), *conditions]
    ways = [
        _select(query, [*([] if way is None else [way.passes()]), *others], columns, way).limit(count) for way in pinned
    ]
    if len(ways) == 1:
        return ways[0].subquery("tasks")
    together = sa.union_all(*(sa.select(way.subquery()) for way in ways)).subquery("tasks")
    return _everything(together).order_by(*_order(query, _OF_QUERY)).limit(count).subquery("tasks")


def _everything(rows: sa.FromClause) -> sa.Select[Any]:
    return sa.select(sa.literal_column("*")).select_from(rows)


def _searched_page(connection: sa.Connection, query: TaskQuery, needle: str) -> Page:
    """Search for one page.

    The first tasks that hold a common word are soon met in the order of the list, where the index would name all of
    them, to show a few. What is rare would be met late or never, so the index names it.
    """
    dialect, count = connection.dialect.name, (query.limit or 0) + 1
    is_rare = has_few_candidates(connection, needle, FEW) if names_few_at_once(dialect) else None
    if not is_rare:
        nearest = _first(query, NEAR, columns=[*_SHOWN, tasks.c.searched])
        holding = _everything(nearest).where(holds(dialect, _SEARCHED, needle)).order_by(*_order(query, _OF_QUERY))
        page = _shown(connection, query, holding.limit(count).subquery("tasks"))
        if page.end is not None:
            return page
    if has_few_candidates(connection, needle, FEW) if is_rare is None else is_rare:
        named = _select(query, conditions_of(dialect, query), _SHOWN)
        return _shown(connection, query, named.limit(count).subquery("tasks"))
    return _shown(connection, query, _first(query, count, holds(dialect, tasks.c.searched, needle)))


def _shown(connection: sa.Connection, query: TaskQuery, rows: sa.Subquery) -> Page:
    """Read a page: JSON is made of the tasks that are shown, after the others were cut off."""
    limit = query.limit or 0
    document = task_document(connection.dialect.name, with_updates=False)
    statement = sa.select(document, *_OF_QUERY.values()).select_from(rows).order_by(*_order(query, _OF_QUERY))
    found = connection.execute(statement).all()
    end = Place._make(found[limit - 1][1:]) if len(found) > limit else None  # the one more is not shown
    return Page([row[0] for row in found[:limit]], end)


def read_all(connection: sa.Connection, query: TaskQuery) -> Iterator[str]:
    """Yield the JSON of everything that is wanted, in one statement, as it is read."""
    dialect = connection.dialect.name
    statement = _select(query, conditions_of(dialect, query), [task_document(dialect, with_updates=False)])
    yield from connection.execute(statement.select_from(tasks), execution_options=STREAMED).scalars()
