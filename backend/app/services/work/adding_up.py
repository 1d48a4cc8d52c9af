"""Adding up the rows that count tasks of the same kind, of which every change of a task adds some on PostgreSQL."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

ADDING_UP_LOCK_KEY: Final = 0x7461736B636F756E  # "taskcoun", another of PostgreSQL's advisory locks
_IS_ALONE: Final = sa.select(sa.func.pg_try_advisory_xact_lock(ADDING_UP_LOCK_KEY))
_ADD_UP: Final = """
    WITH gone AS (DELETE FROM task_counts RETURNING status_rank, priority_rank, assignee_id, amount)
    INSERT INTO task_counts (status_rank, priority_rank, assignee_id, amount)
    SELECT status_rank, priority_rank, assignee_id, sum(amount) FROM gone
    GROUP BY status_rank, priority_rank, assignee_id HAVING sum(amount) <> 0
"""


def add_up(connection: sa.Connection) -> None:
    """Make one row of those that count the same kind, on PostgreSQL; unless somebody else is just doing it."""
    if connection.dialect.name == "postgresql" and connection.scalar(_IS_ALONE):
        connection.exec_driver_sql(_ADD_UP)
