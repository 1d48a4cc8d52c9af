"""What changes of the team's work have in common: rows that are locked before anything is decided, time that moves.

A member is locked before a task, and a task before what belongs to it. On SQLite a transaction that writes is alone
anyway.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from app.core.exceptions import NotFoundError, ValidationError
from app.models.members import members
from app.models.tasks import tasks
from app.services.work.changes import announce

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Clock: TypeAlias = Callable[[sa.Connection], dt.datetime]
    """Tells the time by which the database of a connection goes."""
    Precondition: TypeAlias = Callable[[Callable[[], str]], None]
    """Called with a way to read the present JSON, while the object is locked; raises to refuse."""

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_INSTANT: Final = dt.timedelta(microseconds=1)
_ACTIVE: Final = sa.select(members.c.active).where(members.c.id == sa.bindparam("member_id")).with_for_update(read=True)
_LOCKED: Final = sa.select(tasks).where(tasks.c.id == sa.bindparam("task_id")).with_for_update()


def require_active(connection: sa.Connection, member_id: str, role: str) -> None:
    """Make sure that a member exists and is active, and stays so until the transaction ends.

    Raises:
        ValidationError: there is no such member, or an inactive one; names the `role`.
    """
    active = connection.execute(_ACTIVE, {"member_id": member_id}).scalar_one_or_none()
    if active is None:
        raise ValidationError(f"{role} not found")
    if not active:
        raise ValidationError(f"{role} is inactive")


def lock_task(connection: sa.Connection, task_id: str) -> sa.Row[Any]:
    """Return the row of a task, which nobody else changes, nor anything that belongs to it, until the transaction ends.

    Raises:
        NotFoundError: there is no such task.
    """
    row = connection.execute(_LOCKED, {"task_id": task_id}).first()
    if row is None:
        raise NotFoundError("Task not found")
    return row


def touch(connection: sa.Connection, task: sa.Row[Any], now: dt.datetime) -> None:
    """Move the time of change of a locked task, and tell of it."""
    connection.execute(sa.update(tasks).where(tasks.c.id == task.id).values(**updated(now, task.updated_at)))
    announce(connection, "task", task.id, "updated")


def updated(now: dt.datetime, before: dt.datetime | None = None) -> dict[str, Any]:
    """Return the columns of a task's time of change: later than the one before, whatever the desktops' clocks say."""
    instant = now if before is None else max(now, before + _INSTANT)
    return {"updated_at": instant, "updated_order": newest_first(instant)}


def newest_first(instant: dt.datetime) -> int:
    """Return a number that is the smaller the later the instant: microseconds since 1970, negated."""
    return -((instant - _EPOCH) // _INSTANT)
