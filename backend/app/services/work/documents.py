"""Tasks, sub-tasks and daily updates as JSON, written by the database itself.

A list of 500 tasks with 20 sub-tasks each is one statement then, a consistent one, and its rows are joined into the
answer as they come: no object is made of any of them. Every answer is made of these texts, so that a task looks the
same, and has the same ETag, whichever call answers.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, Protocol

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Spelling(Protocol):
    """JSON in the words of one database; `{}` stands for a column."""

    text: str
    nullable: str
    boolean: str
    nullable_boolean: str
    instant: str
    nullable_instant: str

    def joined(self, parts: Sequence[str]) -> str:
        """Put texts and numbers one after the other."""

    def array(self, item: str, table: str, where: str, order: str) -> str:
        """Make an array of the rows of a table."""


class _PostgreSql:
    # concat is several times as fast as json_build_object
    text = "to_json({})"
    nullable = "coalesce(to_json({})::text, 'null')"
    boolean = "to_json({})"
    nullable_boolean = nullable
    instant = r"""to_char({} AT TIME ZONE 'UTC', '\"YYYY-MM-DD"T"HH24:MI:SS.US"Z"\"')"""
    nullable_instant = f"coalesce({instant}, 'null')"

    def joined(self, parts: Sequence[str]) -> str:
        return f"concat({', '.join(parts)})"

    def array(self, item: str, table: str, where: str, order: str) -> str:
        items = f"string_agg({item}, ',' ORDER BY {order})"
        return f"(SELECT concat('[', {items}, ']') FROM {table} WHERE {where})"  # noqa: S608 - names of ours


class _Sqlite:
    text = nullable = instant = nullable_instant = "json_quote({})"
    boolean = "iif({}, 'true', 'false')"
    nullable_boolean = "CASE {} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END"

    def joined(self, parts: Sequence[str]) -> str:
        return " || ".join(parts)

    def array(self, item: str, table: str, where: str, order: str) -> str:
        # an aggregate takes the rows in the order in which a query of their own hands them over
        rows = f"(SELECT * FROM {table} WHERE {where} ORDER BY {order}) {table}"  # noqa: S608 - names of ours
        return f"(SELECT '[' || coalesce(group_concat({item}, ','), '') || ']' FROM {rows})"  # noqa: S608


_NEWEST_FIRST: Final = "daily_updates.created_at DESC, daily_updates.id"
_SPELLINGS: Final[dict[str, _Spelling]] = {"postgresql": _PostgreSql(), "sqlite": _Sqlite()}


@functools.cache
def sub_task_document(dialect: str) -> sa.ColumnElement[str]:
    """Return the JSON of a row of `sub_tasks`."""
    return _expression(_sub_task(_SPELLINGS[dialect]))


@functools.cache
def daily_update_document(dialect: str) -> sa.ColumnElement[str]:
    """Return the JSON of a row of `daily_updates`."""
    return _expression(_daily_update(_SPELLINGS[dialect]))


@functools.cache
def told_document(dialect: str) -> sa.ColumnElement[str]:
    """Return the JSON of a row of `daily_updates` among those of other tasks, joined with its row of `tasks`."""
    spelling = _SPELLINGS[dialect]
    of_task: dict[str, str | tuple[str, ...]] = {
        "task_title": spelling.text.format("tasks.title"),
        "task_status": _word("tasks.status"),
    }
    return _expression(_daily_update(spelling, **of_task))


@functools.cache
def task_document(dialect: str, *, with_updates: bool) -> sa.ColumnElement[str]:
    """Return the JSON of a row of `tasks` or of a query of that name; lists leave the daily updates out."""
    return _expression(_task(_SPELLINGS[dialect], with_updates=with_updates))


def _expression(sql: str) -> sa.ColumnElement[str]:
    return sa.literal_column(sql, sa.Text)


def _sub_task(spelling: _Spelling) -> str:
    return _object(
        spelling,
        id=_word("sub_tasks.id"),
        task_id=_word("sub_tasks.task_id"),
        title=spelling.text.format("sub_tasks.title"),
        completed=spelling.boolean.format("sub_tasks.completed"),
        position="sub_tasks.position",
        created_at=spelling.instant.format("sub_tasks.created_at"),
    )


def _daily_update(spelling: _Spelling, **more: str | tuple[str, ...]) -> str:
    return _object(
        spelling,
        id=_word("daily_updates.id"),
        task_id=_word("daily_updates.task_id"),
        author_id=_word("daily_updates.author_id"),
        author_name=spelling.text.format(_of_member("name", "daily_updates.author_id")),
        content=spelling.text.format("daily_updates.content"),
        created_at=spelling.instant.format("daily_updates.created_at"),
        updated_at=spelling.instant.format("daily_updates.updated_at"),
        edited=spelling.boolean.format("daily_updates.edited"),
        **more,
    )


def _latest_update(spelling: _Spelling) -> str:
    found = _object(
        spelling,
        id=_word("daily_updates.id"),
        author_name=spelling.text.format(_of_member("name", "daily_updates.author_id")),
        content=spelling.text.format("daily_updates.content"),
        created_at=spelling.instant.format("daily_updates.created_at"),
    )
    newest = f"WHERE daily_updates.task_id = tasks.id ORDER BY {_NEWEST_FIRST} LIMIT 1"
    return f"coalesce((SELECT {found} FROM daily_updates {newest}), 'null')"  # noqa: S608 - names of ours


def _task(spelling: _Spelling, *, with_updates: bool) -> str:
    return _object(
        spelling,
        id=_word("tasks.id"),
        title=spelling.text.format("tasks.title"),
        description=spelling.nullable.format("tasks.description"),
        status=_word("tasks.status"),
        priority=_word("tasks.priority"),
        assignee_id=spelling.nullable.format("tasks.assignee_id"),
        assignee_name=spelling.nullable.format(_of_member("name", "tasks.assignee_id")),
        assignee_active=spelling.nullable_boolean.format(_of_member("active", "tasks.assignee_id")),
        gear_id=spelling.nullable.format("tasks.gear_id"),
        blocking_reason=spelling.text.format("tasks.blocking_reason"),
        blocked_since=spelling.nullable_instant.format("tasks.blocked_since"),
        sub_tasks=spelling.array(
            _sub_task(spelling), "sub_tasks", "sub_tasks.task_id = tasks.id", "sub_tasks.position"
        ),
        daily_updates=spelling.array(
            _daily_update(spelling),
            "daily_updates",
            "daily_updates.task_id = tasks.id",
            _NEWEST_FIRST,
        )
        if with_updates
        else "'[]'",
        latest_update=_latest_update(spelling),
        created_at=spelling.instant.format("tasks.created_at"),
        updated_at=spelling.instant.format("tasks.updated_at"),
    )


def _of_member(column: str, member_id: str) -> str:
    """Look up what is so now; the foreign key says that there is such a member."""
    return f"(SELECT members.{column} FROM members WHERE members.id = {member_id})"  # noqa: S608 - names of ours


def _word(column: str) -> tuple[str, str, str]:
    """Quote what needs no escaping: ids and the words of an enumeration."""
    return ("'\"'", column, "'\"'")


def _object(spelling: _Spelling, **fields: str | tuple[str, ...]) -> str:
    parts: list[str] = []
    for name, value in fields.items():
        parts.append(f"'{',' if parts else '{'}\"{name}\":'")
        parts += (value,) if isinstance(value, str) else value
    return spelling.joined([*parts, "'}'"])
