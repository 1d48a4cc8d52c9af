"""Counting tasks by status and priority, under the filters of their list, in one statement.

What the triggers count (`app.models.task_counts`) answers the filters by status, priority and assignee however many
tasks there are; for the others the tasks that pass are counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from app.models.task_counts import task_counts
from app.models.tasks import PRIORITIES, STATUSES, tasks
from app.services.work.task_list import conditions_of, kind_conditions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.services.work.task_list import TaskQuery

_SUM: Final = sa.cast(sa.func.sum(task_counts.c.amount), sa.BigInteger)  # PostgreSQL's sum of integers is a numeric


class Counts(NamedTuple):
    """How many tasks there are."""

    total: int
    status: dict[str, int]
    priority: dict[str, int]
    unassigned: int


def count(connection: sa.Connection, query: TaskQuery) -> Counts:
    """Count the tasks that pass the filters of a query."""
    rows = connection.execute(_by_kind(connection.dialect.name, query)).all()
    return Counts(
        total=sum(row.amount for row in rows),
        status=_shares(STATUSES, ((row.status_rank, row.amount) for row in rows)),
        priority=_shares(PRIORITIES, ((row.priority_rank, row.amount) for row in rows)),
        unassigned=sum(row.amount for row in rows if row.is_unassigned),
    )


def _by_kind(dialect: str, query: TaskQuery) -> sa.Select[Any]:
    if query.search.strip() or query.gear_id is not None or query.updated_since is not None:
        return _grouped(tasks.c, sa.func.count(), conditions_of(dialect, query))
    return _grouped(task_counts.c, _SUM, kind_conditions(query, task_counts.c))


def _grouped(columns: Any, amount: sa.ColumnElement[Any], conditions: Sequence[Any]) -> sa.Select[Any]:
    is_unassigned = columns.assignee_id.is_(None).label("is_unassigned")
    kind = (columns.status_rank, columns.priority_rank, is_unassigned)
    return sa.select(*kind, amount.label("amount")).where(*conditions).group_by(*kind)


def _shares(words: tuple[str, ...], amounts: Iterable[tuple[int, int]]) -> dict[str, int]:
    shares = dict.fromkeys(words, 0)
    for rank, amount in amounts:
        shares[words[rank]] += amount
    return shares
