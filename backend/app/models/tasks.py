"""Tasks, and what their search looks things up in."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import (
    ARRAY,
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Named,
    SmallInteger,
    Table,
    Text,
    TypedColumns,
    event,
)

from app.db.base import Instant, UuidText, metadata

STATUSES: Final = ("To Do", "In Progress", "Blocked", "Done")
"""In the order in which lists sort them; so is `PRIORITIES`."""
PRIORITIES: Final = ("High", "Medium", "Low")


def _one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    """Tie a word to its place among the words, which is what lists are sorted by."""
    pairs = " OR ".join(f"({column} = '{word}' AND {column}_rank = {rank})" for rank, word in enumerate(words))
    return CheckConstraint(pairs, name=column)


class TaskColumns(TypedColumns):
    """Columns of `tasks`.

    Every order of a list ascends in all its columns, so that one comparison of rows tells what lies behind a cursor:
    hence ranks for words, and instants negated for "newest first".
    """

    id: Named[str] = Column(UuidText, primary_key=True)
    title: Named[str] = Column(Text, nullable=False)
    description: Named[str | None] = Column(Text)
    status: Named[str] = Column(Text, nullable=False)
    status_rank: Named[int] = Column(SmallInteger, nullable=False)
    priority: Named[str] = Column(Text, nullable=False)
    priority_rank: Named[int] = Column(SmallInteger, nullable=False)
    assignee_id: Named[str | None] = Column(UuidText, ForeignKey("members.id"))
    gear_id: Named[str | None] = Column(Text)
    blocking_reason: Named[str] = Column(Text, nullable=False)
    """Empty unless the task is blocked."""
    blocked_since: Named[dt.datetime | None] = Column(Instant)
    """When it became blocked; None unless it is."""
    searched: Named[str] = Column(Text, nullable=False)
    """What a search looks for its text in: see `app.services.work.search`."""
    created_at: Named[dt.datetime] = Column(Instant, nullable=False)
    created_order: Named[int] = Column(BigInteger, nullable=False)
    """`created_at` in microseconds since 1970, negated; so is `updated_order`."""
    updated_at: Named[dt.datetime] = Column(Instant, nullable=False)
    updated_order: Named[int] = Column(BigInteger, nullable=False)


class TaskGramColumns(TypedColumns):
    """Columns of `task_grams`, which hold what the search's index is made of.

    A table of its own, because a change of anything else would write the index anew for the whole text.
    """

    number: Named[int] = Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True)
    """SQLite's full-text tables know rows by numbers only."""
    task_id: Named[str] = Column(UuidText, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False)
    grams: Named[object] = Column(ARRAY(Integer).with_variant(Text(), "sqlite"), nullable=False)
    """PostgreSQL: hashes of all pieces of one to three characters; SQLite: the text, which FTS5 cuts into trigrams."""


tasks: Final = Table("tasks", metadata, TaskColumns, _one_of("status", STATUSES), _one_of("priority", PRIORITIES))
task_grams: Final = Table("task_grams", metadata, TaskGramColumns)

_columns = tasks.c
Index("ix_tasks_updated", _columns.updated_order, _columns.created_order, _columns.id)
Index("ix_tasks_created", _columns.created_order, _columns.id)
Index("ix_tasks_status_created", _columns.status_rank, _columns.created_order, _columns.id)
Index("ix_tasks_priority_created", _columns.priority_rank, _columns.created_order, _columns.id)
Index("ix_tasks_status_updated", _columns.status_rank, _columns.updated_order, _columns.created_order, _columns.id)
Index("ix_tasks_priority_updated", _columns.priority_rank, _columns.updated_order, _columns.created_order, _columns.id)
Index("ix_tasks_assignee_updated", _columns.assignee_id, _columns.updated_order, _columns.created_order, _columns.id)
Index("uq_task_grams_task_id", task_grams.c.task_id, unique=True)

# as text, which both databases understand: an `Index` with a condition would import both dialects at every start
_GEAR: Final[DDL] = DDL(  # type: ignore[no-untyped-call]
    "CREATE INDEX ix_tasks_gear ON tasks (gear_id, updated_order, created_order, id) WHERE gear_id IS NOT NULL"
)
event.listen(tasks, "after_create", _GEAR)

GRAMS_INDEX: Final = "CREATE INDEX ix_task_grams_grams ON task_grams USING gin (grams) WITH (fastupdate = off)"
"""PostgreSQL's index of `task_grams`, without a list of pending entries, which every search would have to read as well.

As text, because an `Index` of one database imports its dialect at every start, whichever database is used.
"""
FULL_TEXT: Final = (
    """CREATE VIRTUAL TABLE task_trigrams USING fts5(
        grams, content='task_grams', content_rowid='number',
        tokenize='trigram case_sensitive 1', detail='none', columnsize=0
    )""",
    "CREATE VIRTUAL TABLE task_trigram_terms USING fts5vocab('task_trigrams', 'row')",
    """CREATE TRIGGER task_grams_inserted AFTER INSERT ON task_grams BEGIN
        INSERT INTO task_trigrams (rowid, grams) VALUES (new.number, new.grams);
    END""",
    """CREATE TRIGGER task_grams_deleted AFTER DELETE ON task_grams BEGIN
        INSERT INTO task_trigrams (task_trigrams, rowid, grams) VALUES ('delete', old.number, old.grams);
    END""",
    """CREATE TRIGGER task_grams_updated AFTER UPDATE ON task_grams BEGIN
        INSERT INTO task_trigrams (task_trigrams, rowid, grams) VALUES ('delete', old.number, old.grams);
        INSERT INTO task_trigrams (rowid, grams) VALUES (new.number, new.grams);
    END""",
)
"""SQLite's index of `task_grams`: a full-text table that stores no text of its own, kept true by triggers."""

event.listen(task_grams, "after_create", DDL(GRAMS_INDEX).execute_if(dialect="postgresql"))  # type: ignore[no-untyped-call]
_on_create = [DDL(statement) for statement in FULL_TEXT]  # type: ignore[no-untyped-call]
_on_drop = [DDL(f"DROP TABLE IF EXISTS {name}") for name in ("task_trigram_terms", "task_trigrams")]  # type: ignore[no-untyped-call]
for _moment, _statements in (("after_create", _on_create), ("after_drop", _on_drop)):
    for _statement in _statements:
        event.listen(task_grams, _moment, _statement.execute_if(dialect="sqlite"))
