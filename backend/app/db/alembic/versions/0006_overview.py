"""How long tasks are blocked, how many tasks there are of each kind, and lists of daily updates across tasks.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

from app.db.base import Instant, UuidText

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KIND = "status_rank, priority_rank, assignee_id"
_OLD = "old.status_rank, old.priority_rank, old.assignee_id"
_NEW = "new.status_rank, new.priority_rank, new.assignee_id"
_RUN = "EXECUTE FUNCTION count_tasks()"
_ON_POSTGRESQL = (
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
_ADD_OLD = (
    "UPDATE task_counts SET amount = amount - 1 WHERE status_rank = old.status_rank"
    " AND priority_rank = old.priority_rank AND assignee_id IS old.assignee_id;"
)
_ADD_NEW = (
    "UPDATE task_counts SET amount = amount + 1 WHERE status_rank = new.status_rank"  # noqa: S608 - names of ours
    " AND priority_rank = new.priority_rank AND assignee_id IS new.assignee_id;"
    f" INSERT INTO task_counts ({_KIND}, amount) SELECT {_NEW}, 1 WHERE changes() = 0;"
)
_ON_SQLITE = (
    f"CREATE TRIGGER tasks_inserted AFTER INSERT ON tasks BEGIN {_ADD_NEW} END",
    f"CREATE TRIGGER tasks_deleted AFTER DELETE ON tasks BEGIN {_ADD_OLD} END",
    f"CREATE TRIGGER tasks_updated AFTER UPDATE OF {_KIND} ON tasks BEGIN {_ADD_OLD} {_ADD_NEW} END",
)


def upgrade() -> None:
    """Change the tables of the team's work."""
    op.add_column("tasks", sa.Column("blocked_since", Instant(), nullable=True))
    op.execute("UPDATE tasks SET blocked_since = updated_at WHERE status = 'Blocked'")
    has_gear = sa.text("gear_id IS NOT NULL")
    by_updated = ["updated_order", "created_order", "id"]
    op.create_index(
        "ix_tasks_gear", "tasks", ["gear_id", *by_updated], postgresql_where=has_gear, sqlite_where=has_gear
    )
    _count_tasks()
    newest_first: list[str | sa.TextClause] = [sa.text("created_at DESC"), "id"]
    op.drop_index("ix_daily_updates_task_id_created_at", "daily_updates")
    op.drop_index("ix_daily_updates_author_id", "daily_updates")
    op.create_index("ix_daily_updates_newest", "daily_updates", newest_first)
    op.create_index("ix_daily_updates_task_newest", "daily_updates", ["task_id", *newest_first])
    op.create_index("ix_daily_updates_author_newest", "daily_updates", ["author_id", *newest_first])


def _count_tasks() -> None:
    op.create_table(
        "task_counts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("status_rank", sa.SmallInteger(), nullable=False),
        sa.Column("priority_rank", sa.SmallInteger(), nullable=False),
        sa.Column("assignee_id", UuidText, nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_task_counts"),
    )
    op.create_index("ix_task_counts_kind", "task_counts", ["assignee_id", "status_rank", "priority_rank"])
    op.execute(
        f"INSERT INTO task_counts ({_KIND}, amount) SELECT {_KIND}, count(*) FROM tasks GROUP BY {_KIND}"  # noqa: S608
    )
    for statement in _ON_POSTGRESQL if op.get_context().dialect.name == "postgresql" else _ON_SQLITE:
        op.execute(statement)


def downgrade() -> None:
    """Refuse: a downgrade would forget since when tasks are blocked."""
    raise NotImplementedError("downgrades are not offered: restore a backup instead")
