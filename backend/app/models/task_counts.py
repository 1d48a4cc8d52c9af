"""How many tasks there are of each kind, kept by triggers: to count a hundred thousand takes as long as a thousand."""

from __future__ import annotations

from typing import Final

from sqlalchemy import DDL, BigInteger, Column, Index, Integer, Named, SmallInteger, Table, TypedColumns, event

from app.db.base import UuidText, metadata
from app.models.tasks import tasks


class TaskCountColumns(TypedColumns):
    """Columns of `task_counts`: the amounts of a kind add up to the number of its tasks.

    On PostgreSQL each change adds rows, for transactions that changed one row would wait for each other; they are added
    up now and then (`app.services.work.counts`). On SQLite, where one writes at a time, a kind has one row.
    """

    id: Named[int] = Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True)
    status_rank: Named[int] = Column(SmallInteger, nullable=False)
    priority_rank: Named[int] = Column(SmallInteger, nullable=False)
    assignee_id: Named[str | None] = Column(UuidText)
    amount: Named[int] = Column(BigInteger, nullable=False)


task_counts: Final = Table("task_counts", metadata, TaskCountColumns)
task_counts.add_is_dependent_on(tasks)  # which get the triggers

_columns = task_counts.c
Index("ix_task_counts_kind", _columns.assignee_id, _columns.status_rank, _columns.priority_rank)

_KIND: Final = "status_rank, priority_rank, assignee_id"
_OLD: Final = "old.status_rank, old.priority_rank, old.assignee_id"
_NEW: Final = "new.status_rank, new.priority_rank, new.assignee_id"
_RUN: Final = "EXECUTE FUNCTION count_tasks()"
COUNTING_ON_POSTGRESQL: Final = (
    f"""CREATE FUNCTION count_tasks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO task_counts ({_KIND}, amount) SELECT {_KIND}, count(*) FROM touched GROUP BY {_KIND};
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO task_counts ({_KIND}, amount) SELECT {_KIND}, -count(*) FROM touched GROUP BY {_KIND};
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO task_counts ({_KIND}, amount) VALUES ({_OLD}, -1), ({_NEW}, 1);
    ELSE
        DELETE FROM task_counts;
    END IF;
    RETURN NULL;
END
$$""",  # noqa: S608 - names of ours
    f"CREATE TRIGGER tasks_inserted AFTER INSERT ON tasks REFERENCING NEW TABLE AS touched FOR EACH STATEMENT {_RUN}",
    f"CREATE TRIGGER tasks_deleted AFTER DELETE ON tasks REFERENCING OLD TABLE AS touched FOR EACH STATEMENT {_RUN}",
    f"CREATE TRIGGER tasks_updated AFTER UPDATE ON tasks FOR EACH ROW WHEN (({_OLD}) IS DISTINCT FROM ({_NEW})) {_RUN}",
    f"CREATE TRIGGER tasks_truncated AFTER TRUNCATE ON tasks FOR EACH STATEMENT {_RUN}",
)
"""Inserts and deletions by the statement, so that many rows at once are one row here for each kind."""


def _counted(amount: str, row: str) -> str:
    """Return SQLite's statement that adds to a kind that is there."""
    return (
        f"UPDATE task_counts SET amount = amount {amount} WHERE status_rank = {row}.status_rank"  # noqa: S608
        f" AND priority_rank = {row}.priority_rank AND assignee_id IS {row}.assignee_id;"
    )


_ADD: Final = (
    f"{_counted('+ 1', 'new')} INSERT INTO task_counts ({_KIND}, amount) SELECT {_NEW}, 1 WHERE changes() = 0;"
)
COUNTING_ON_SQLITE: Final = (
    f"CREATE TRIGGER tasks_inserted AFTER INSERT ON tasks BEGIN {_ADD} END",
    f"CREATE TRIGGER tasks_deleted AFTER DELETE ON tasks BEGIN {_counted('- 1', 'old')} END",
    f"CREATE TRIGGER tasks_updated AFTER UPDATE OF {_KIND} ON tasks BEGIN {_counted('- 1', 'old')} {_ADD} END",
)

for _dialect, _statements in (("postgresql", COUNTING_ON_POSTGRESQL), ("sqlite", COUNTING_ON_SQLITE)):
    for _statement in _statements:
        event.listen(task_counts, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
_FORGET: Final[DDL] = DDL("DROP FUNCTION IF EXISTS count_tasks() CASCADE")  # type: ignore[no-untyped-call]
event.listen(task_counts, "after_drop", _FORGET.execute_if(dialect="postgresql"))
