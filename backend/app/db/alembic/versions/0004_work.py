"""Tasks, sub-tasks, daily updates, and the index of the tasks' search.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.base import Instant, UuidText

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATUS = (
    "(status = 'To Do' AND status_rank = 0) OR (status = 'In Progress' AND status_rank = 1)"
    " OR (status = 'Blocked' AND status_rank = 2) OR (status = 'Done' AND status_rank = 3)"
)
_PRIORITY = (
    "(priority = 'High' AND priority_rank = 0) OR (priority = 'Medium' AND priority_rank = 1)"
    " OR (priority = 'Low' AND priority_rank = 2)"
)
_FULL_TEXT = (
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


def upgrade() -> None:
    """Create the tables of the team's work."""
    _create_tasks()
    _create_task_grams()
    _create_sub_tasks()
    _create_daily_updates()


def _create_tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", UuidText, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_rank", sa.SmallInteger(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("priority_rank", sa.SmallInteger(), nullable=False),
        sa.Column("assignee_id", UuidText, nullable=True),
        sa.Column("gear_id", sa.Text(), nullable=True),
        sa.Column("blocking_reason", sa.Text(), nullable=False),
        sa.Column("searched", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_order", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("updated_order", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(_STATUS, name=op.f("ck_tasks_status")),
        sa.CheckConstraint(_PRIORITY, name=op.f("ck_tasks_priority")),
        sa.ForeignKeyConstraint(["assignee_id"], ["members.id"], name="fk_tasks_assignee_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
    )
    by_updated, by_created = ["updated_order", "created_order", "id"], ["created_order", "id"]
    op.create_index("ix_tasks_updated", "tasks", by_updated)
    op.create_index("ix_tasks_created", "tasks", by_created)
    op.create_index("ix_tasks_status_created", "tasks", ["status_rank", *by_created])
    op.create_index("ix_tasks_priority_created", "tasks", ["priority_rank", *by_created])
    op.create_index("ix_tasks_status_updated", "tasks", ["status_rank", *by_updated])
    op.create_index("ix_tasks_priority_updated", "tasks", ["priority_rank", *by_updated])
    op.create_index("ix_tasks_assignee_updated", "tasks", ["assignee_id", *by_updated])


def _create_task_grams() -> None:
    op.create_table(
        "task_grams",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("task_id", UuidText, nullable=False),
        sa.Column("grams", ARRAY(sa.Integer()).with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_task_grams_task_id_tasks", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number", name="pk_task_grams"),
    )
    op.create_index("uq_task_grams_task_id", "task_grams", ["task_id"], unique=True)
    if op.get_context().dialect.name == "postgresql":
        op.create_index(
            "ix_task_grams_grams",
            "task_grams",
            ["grams"],
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        )
    else:
        for statement in _FULL_TEXT:
            op.execute(statement)


def _create_sub_tasks() -> None:
    op.create_table(
        "sub_tasks",
        sa.Column("id", UuidText, nullable=False),
        sa.Column("task_id", UuidText, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("completed", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_sub_tasks_task_id_tasks", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_sub_tasks"),
    )
    op.create_index("uq_sub_tasks_task_id_position", "sub_tasks", ["task_id", "position"], unique=True)


def _create_daily_updates() -> None:
    op.create_table(
        "daily_updates",
        sa.Column("id", UuidText, nullable=False),
        sa.Column("task_id", UuidText, nullable=False),
        sa.Column("author_id", UuidText, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("edited", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_daily_updates_task_id_tasks", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["author_id"], ["members.id"], name="fk_daily_updates_author_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_daily_updates"),
    )
    op.create_index("ix_daily_updates_task_id_created_at", "daily_updates", ["task_id", "created_at"])
    op.create_index("ix_daily_updates_author_id", "daily_updates", ["author_id"])


def downgrade() -> None:
    """Refuse: a downgrade would lose the team's work."""
    raise NotImplementedError("downgrades are not offered: restore a backup instead")
