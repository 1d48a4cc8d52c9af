"""Daily updates: what members tell of their work on a task; to be changed within 24 hours."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from app.core.exceptions import ForbiddenError, NotFoundError
from app.db.clock import database_now
from app.models.daily_updates import daily_updates
from app.services.work.changes import announce
from app.services.work.common import lock_task, require_active, touch
from app.services.work.documents import daily_update_document
from app.services.work.update_list import UpdatePage, UpdateQuery, read_updates

if TYPE_CHECKING:
    from app.db.session import Database
    from app.schemas.updates import DailyUpdateCreate
    from app.services.work.changes import Change
    from app.services.work.common import Clock, Precondition

CHANGEABLE_FOR: Final = dt.timedelta(hours=24)


class DailyUpdates:
    """The daily updates of all tasks. What it returns of them is their JSON."""

    def __init__(self, database: Database, clock: Clock = database_now) -> None:
        self._database = database
        self._clock = clock

    def told(self, query: UpdateQuery) -> UpdatePage:
        """Return daily updates of all tasks, newest first."""
        with self._database.read() as connection:
            return read_updates(connection, query)

    def create(self, task_id: str, body: DailyUpdateCreate) -> str:
        """Add a daily update; raises ValidationError when there is no such active author, then NotFoundError."""
        update_id = str(uuid.uuid4())
        with self._database.write() as connection:
            require_active(connection, body.author_id, "Author")
            task = lock_task(connection, task_id)
            now = self._clock(connection)
            connection.execute(
                sa.insert(daily_updates).values(
                    id=update_id,
                    task_id=task_id,
                    author_id=body.author_id,
                    content=body.content,
                    edited=False,
                    created_at=now,
                    updated_at=now,
                )
            )
            _changed(connection, task, update_id, "created", now)
            return _document(connection, update_id)

    def update(self, task_id: str, update_id: str, content: str, precondition: Precondition) -> str:
        """Change the content.

        Raises:
            NotFoundError: no such task, or the task has no such daily update.
            ForbiddenError: it is too old.
        """
        with self._database.write() as connection:
            task, present, now = self._changeable(connection, task_id, update_id, "edited")
            precondition(lambda: _document(connection, update_id))
            if content != present.content:
                now = max(now, present.updated_at + dt.timedelta(microseconds=1))
                connection.execute(
                    sa.update(daily_updates)
                    .where(daily_updates.c.id == update_id)
                    .values(content=content, edited=True, updated_at=now)
                )
                _changed(connection, task, update_id, "updated", now)
            return _document(connection, update_id)

    def delete(self, task_id: str, update_id: str, precondition: Precondition) -> None:
        """Delete a daily update; raises NotFoundError, or ForbiddenError when it is too old."""
        with self._database.write() as connection:
            task, _, now = self._changeable(connection, task_id, update_id, "deleted")
            precondition(lambda: _document(connection, update_id))
            connection.execute(sa.delete(daily_updates).where(daily_updates.c.id == update_id))
            _changed(connection, task, update_id, "deleted", now)

    def _changeable(
        self, connection: sa.Connection, task_id: str, update_id: str, deed: str
    ) -> tuple[sa.Row[Any], sa.Row[Any], dt.datetime]:
        """Return a task, which is locked, a daily update of it, and the time; raises NotFoundError, ForbiddenError."""
        task = lock_task(connection, task_id)
        query = sa.select(daily_updates).where(daily_updates.c.id == update_id, daily_updates.c.task_id == task_id)
        present = connection.execute(query).first()
        if present is None:
            raise NotFoundError("Daily update not found")
        now = self._clock(connection)
        if now - present.created_at > CHANGEABLE_FOR:
            raise ForbiddenError(f"Updates can only be {deed} within 24 hours.")
        return task, present, now


def _changed(connection: sa.Connection, task: sa.Row[Any], update_id: str, change: Change, now: dt.datetime) -> None:
    announce(connection, "daily_update", update_id, change)
    touch(connection, task, now)


def _document(connection: sa.Connection, update_id: str) -> str:
    document = daily_update_document(connection.dialect.name)
    query = sa.select(document).select_from(daily_updates).where(daily_updates.c.id == update_id)
    return connection.execute(query).scalar_one()
