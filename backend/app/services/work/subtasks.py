"""The steps of a task: add, rename, tick, reorder, delete.

Every change locks the task first, so that positions are 0 to n-1 at every moment.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from app.core.exceptions import NotFoundError, ValidationError
from app.db.clock import database_now
from app.models.sub_tasks import sub_tasks
from app.services.work.changes import announce, announce_all
from app.services.work.common import lock_task, touch
from app.services.work.documents import sub_task_document

if TYPE_CHECKING:
    import datetime as dt

    from app.db.session import Database
    from app.services.work.changes import Change
    from app.services.work.common import Clock, Precondition

MAX_SUB_TASKS: Final = 20


class SubTasks:
    """The sub-tasks of all tasks. What it returns of them is their JSON."""

    def __init__(self, database: Database, clock: Clock = database_now) -> None:
        self._database = database
        self._clock = clock

    def create(self, task_id: str, title: str) -> str:
        """Add a sub-task at the end; raises NotFoundError, and ValidationError when there are enough."""
        sub_task_id = str(uuid.uuid4())
        with self._database.write() as connection:
            task = lock_task(connection, task_id)
            now = self._clock(connection)
            count = connection.execute(
                sa.select(sa.func.count()).select_from(sub_tasks).where(sub_tasks.c.task_id == task_id)
            ).scalar_one()
            if count >= MAX_SUB_TASKS:
                raise ValidationError(f"Maximum of {MAX_SUB_TASKS} sub-tasks per task")
            connection.execute(
                sa.insert(sub_tasks).values(
                    id=sub_task_id, task_id=task_id, title=title, completed=False, position=count, created_at=now
                )
            )
            _changed(connection, task, sub_task_id, "created", now)
            return _document(connection, sub_task_id)

    def rename(self, task_id: str, sub_task_id: str, title: str, precondition: Precondition) -> str:
        """Give a sub-task another title; raises NotFoundError."""
        with self._database.write() as connection:
            task, sub_task = _locked(connection, task_id, sub_task_id, precondition)
            if title != sub_task.title:
                self._set(connection, task, sub_task_id, title=title)
            return _document(connection, sub_task_id)

    def toggle(self, task_id: str, sub_task_id: str, precondition: Precondition) -> str:
        """Tick a sub-task, or take the tick away; raises NotFoundError."""
        with self._database.write() as connection:
            task, sub_task = _locked(connection, task_id, sub_task_id, precondition)
            self._set(connection, task, sub_task_id, completed=not sub_task.completed)
            return _document(connection, sub_task_id)

    def reorder(self, task_id: str, sub_task_ids: list[str]) -> list[str]:
        """Put the sub-tasks of a task in another order; return all of them.

        Raises:
            NotFoundError: no such task.
            ValidationError: not every sub-task is named exactly once.
        """
        with self._database.write() as connection:
            task = lock_task(connection, task_id)
            present = _ids(connection, task_id)
            if sorted(present) != sorted(sub_task_ids):
                raise ValidationError("sub_task_ids: Input should name each sub-task of the task exactly once")
            moved = [one for one, before in zip(sub_task_ids, present, strict=True) if one != before]
            if moved:
                _place(connection, {one: sub_task_ids.index(one) for one in moved})
                announce_all(connection, "sub_task", moved, "updated")
                touch(connection, task, self._clock(connection))
            return _documents(connection, task_id)

    def delete(self, task_id: str, sub_task_id: str, precondition: Precondition) -> None:
        """Delete a sub-task; those behind it close up. Raises NotFoundError."""
        with self._database.write() as connection:
            task, sub_task = _locked(connection, task_id, sub_task_id, precondition)
            behind = _ids(connection, task_id)[sub_task.position + 1 :]
            connection.execute(sa.delete(sub_tasks).where(sub_tasks.c.id == sub_task_id))
            if behind:
                _place(connection, dict(zip(behind, range(sub_task.position, MAX_SUB_TASKS), strict=False)))
            _changed(connection, task, sub_task_id, "deleted", self._clock(connection))

    def _set(self, connection: sa.Connection, task: sa.Row[Any], sub_task_id: str, **values: object) -> None:
        connection.execute(sa.update(sub_tasks).where(sub_tasks.c.id == sub_task_id).values(**values))
        _changed(connection, task, sub_task_id, "updated", self._clock(connection))


def _changed(connection: sa.Connection, task: sa.Row[Any], sub_task_id: str, change: Change, now: dt.datetime) -> None:
    announce(connection, "sub_task", sub_task_id, change)
    touch(connection, task, now)


def _locked(
    connection: sa.Connection, task_id: str, sub_task_id: str, precondition: Precondition
) -> tuple[sa.Row[Any], sa.Row[Any]]:
    """Return the rows of a task, which is locked, and of a sub-task of it.

    Raises:
        NotFoundError: no such task, or the task has no such sub-task.
    """
    task = lock_task(connection, task_id)
    query = sa.select(sub_tasks).where(sub_tasks.c.id == sub_task_id, sub_tasks.c.task_id == task_id)
    sub_task = connection.execute(query).first()
    if sub_task is None:
        raise NotFoundError("Sub-task not found")
    precondition(lambda: _document(connection, sub_task_id))
    return task, sub_task


def _ids(connection: sa.Connection, task_id: str) -> list[str]:
    """Return the ids of a task's sub-tasks in their order."""
    query = sa.select(sub_tasks.c.id).where(sub_tasks.c.task_id == task_id).order_by(sub_tasks.c.position)
    return list(connection.execute(query).scalars())


def _place(connection: sa.Connection, positions: dict[str, int]) -> None:
    """Move sub-tasks; by way of negative positions, because two never stand at one, not even for a moment."""
    moved = sub_tasks.c.id.in_(positions)
    for where, position in ((moved, _negated(positions)), (moved, -1 - sub_tasks.c.position)):
        connection.execute(sa.update(sub_tasks).where(where).values(position=position))


def _negated(positions: dict[str, int]) -> sa.ColumnElement[int]:
    return sa.case({one: -1 - position for one, position in positions.items()}, value=sub_tasks.c.id)


def _document(connection: sa.Connection, sub_task_id: str) -> str:
    document = sub_task_document(connection.dialect.name)
    query = sa.select(document).select_from(sub_tasks).where(sub_tasks.c.id == sub_task_id)
    return connection.execute(query).scalar_one()


def _documents(connection: sa.Connection, task_id: str) -> list[str]:
    document = sub_task_document(connection.dialect.name)
    query = sa.select(document).select_from(sub_tasks).where(sub_tasks.c.task_id == task_id)
    return list(connection.execute(query.order_by(sub_tasks.c.position)).scalars())
