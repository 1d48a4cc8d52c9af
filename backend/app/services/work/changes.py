"""Announcing changes: each is a row in the log of changes, written by the transaction that makes the change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import sqlalchemy as sa

from app.db.base import utc_now
from app.models.changes import changes

if TYPE_CHECKING:
    from typing import TypeAlias

Resource: TypeAlias = Literal["member", "task", "sub_task", "daily_update"]
Change: TypeAlias = Literal["created", "updated", "deleted"]

CHANNEL: Final = "taskflow_changes"
"""Of PostgreSQL's NOTIFY. The notification is a hint to look into the log, and tells nothing by itself."""
KEPT: Final = 10_000
"""Changes that the log holds; who was away for longer has to read everything anew."""
PRUNE_EVERY: Final = 500


def announce(connection: sa.Connection, resource: Resource, id: str, change: Change) -> None:  # noqa: A002 - the event's name
    """Tell every desktop of a change, as soon as the transaction of `connection` is committed."""
    row = {"resource": resource, "resource_id": id, "change": change, "at": utc_now()}
    written = _write(connection, row)
    if written % PRUNE_EVERY == 0:
        connection.execute(sa.delete(changes).where(changes.c.id <= written - KEPT))


def _write(connection: sa.Connection, row: dict[str, object]) -> int:
    """Add a row in one round trip; return its id."""
    statement: sa.Executable
    if connection.dialect.name == "postgresql":
        # its number has to wait: transactions with lower ones might be committed later and never be seen by readers
        added = sa.insert(changes).values(**row).returning(changes.c.id).cte("added")
        statement = sa.select(added.c.id, sa.func.pg_notify(CHANNEL, ""))
    else:
        # writers take turns: the order of writing is the order of becoming visible
        newest = sa.select(sa.func.coalesce(sa.func.max(changes.c.number), 0) + 1).scalar_subquery()
        statement = sa.insert(changes).values(**row, number=newest).returning(changes.c.id)
    written: int = connection.execute(statement).scalar_one()
    return written
