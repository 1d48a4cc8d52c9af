"""Announcing changes: each is a row in the log of changes, written by the transaction that makes the change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import sqlalchemy as sa

from app.db.base import utc_now
from app.db.session import HINT
from app.models.changes import changes
from app.services.work.adding_up import add_up
from app.services.work.change_log import EVERYTHING, RESYNC

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

Resource: TypeAlias = Literal["member", "task", "sub_task", "daily_update", "vault_device"]
Change: TypeAlias = Literal["created", "updated", "deleted"]

CHANNEL: Final = "taskflow_changes"
"""Of PostgreSQL's NOTIFY. The notification is a hint to look into the log, and tells nothing by itself."""
KEPT: Final = 10_000
"""Changes that the log holds; who was away for longer has to read everything anew."""
PRUNE_EVERY: Final = 500
_WRITE: Final = sa.insert(changes).returning(changes.c.id)
_WRITE_NUMBERED: Final = _WRITE.values(
    number=sa.select(sa.func.coalesce(sa.func.max(changes.c.number), 0) + 1).scalar_subquery()
)


def announce(connection: sa.Connection, resource: Resource, id: str, change: Change) -> None:  # noqa: A002 - the event's name
    """Tell every desktop of a change, as soon as the transaction of `connection` is committed."""
    announce_all(connection, resource, [id], change)


def announce_all(connection: sa.Connection, resource: Resource, ids: Sequence[str], change: Change) -> None:
    """Tell of the same change of several, at least one, in the order given."""
    now, dialect = utc_now(), connection.dialect.name
    rows = [{"resource": resource, "resource_id": each, "change": change, "at": now} for each in ids[:-1]]
    if rows and dialect != "postgresql":
        newest = connection.execute(sa.select(sa.func.coalesce(sa.func.max(changes.c.number), 0))).scalar_one()
        rows = [{**row, "number": place} for place, row in enumerate(rows, start=int(newest or 0) + 1)]
    if rows:
        connection.execute(sa.insert(changes), rows)
    written = _write(connection, {"resource": resource, "resource_id": ids[-1], "change": change, "at": now})
    if written // PRUNE_EVERY > (written - len(ids)) // PRUNE_EVERY:
        connection.execute(sa.delete(changes).where(changes.c.id <= written - KEPT))
        add_up(connection)


def announce_resync(connection: sa.Connection) -> None:
    """Tell every desktop to read everything anew."""
    _write(connection, {"resource": EVERYTHING, "resource_id": "", "change": RESYNC, "at": utc_now()})


def _write(connection: sa.Connection, row: dict[str, object]) -> int:
    """Add a row in one round trip; return its id."""
    statement = _WRITE
    if connection.dialect.name == "postgresql":
        # its number has to wait: transactions with lower ones might be committed later and never be seen by readers
        connection.info[HINT] = CHANNEL
    else:
        # writers take turns: the order of writing is the order of becoming visible
        statement = _WRITE_NUMBERED
    written: int = connection.execute(statement, row).scalar_one()
    return written
