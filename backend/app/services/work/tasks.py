"""The tasks of the team: list, create, read, change, delete."""

from __future__ import annotations

import functools
import uuid
from typing import TYPE_CHECKING, Any, Final

import msgspec
import sqlalchemy as sa

from app.core.exceptions import NotFoundError, ValidationError
from app.core.validation import present
from app.db.clock import database_now
from app.models.tasks import PRIORITIES, STATUSES, task_grams, tasks
from app.schemas.tasks import BLOCKED
from app.services.work.changes import announce
from app.services.work.common import lock_task, newest_first, require_active, updated
from app.services.work.counts import Counts, count
from app.services.work.documents import task_document
from app.services.work.search import indexed_form, searched_text
from app.services.work.task_list import MAX_LIMIT, Page, TaskQuery, read_all, read_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.db.session import Database
    from app.schemas.tasks import TaskCreate, TaskUpdate
    from app.services.work.common import Clock, Precondition

_SEARCHED: Final = ("title", "description", "gear_id")
_INSERT: Final = sa.insert(tasks)
_INSERT_GRAMS: Final = sa.insert(task_grams)
"""Made once: to make a statement takes the processor longer than to send it."""


class Tasks:
    """The tasks of one database. What it returns of a task is its JSON."""

    def __init__(self, database: Database, clock: Clock = database_now) -> None:
        self._database = database
        self._clock = clock

    def page(self, query: TaskQuery) -> Page:
        """Return a page of the tasks that are asked for; without a limit it is as long as pages may be."""
        with self._database.read() as connection:
            return read_page(connection, query if query.limit else msgspec.structs.replace(query, limit=MAX_LIMIT))

    def all(self, query: TaskQuery) -> Iterator[str]:
        """Yield all tasks that are asked for, however many, as they are read."""
        with self._database.snapshot() as connection:
            yield from read_all(connection, query)

    def counts(self, query: TaskQuery) -> Counts:
        """Count the tasks that pass the filters."""
        with self._database.read() as connection:
            return count(connection, query)

    def get(self, task_id: str) -> str:
        """Return one task with its daily updates; raises NotFoundError."""
        with self._database.read() as connection:
            return _document(connection, task_id)

    def create(self, body: TaskCreate) -> str:
        """Add a task; raises ValidationError when it is blocked without a reason, or for nobody who is active."""
        fields = {name: getattr(body, name) for name in body.__struct_fields__}
        fields["blocking_reason"] = _blocking_reason(body.status, body.blocking_reason)
        task_id = str(uuid.uuid4())
        with self._database.write() as connection:
            if body.assignee_id is not None:
                require_active(connection, body.assignee_id, "Assignee")
            now = self._clock(connection)
            row = {"id": task_id, **_columns(fields), "created_at": now, "created_order": newest_first(now)}
            row["searched"] = searched_text(body.title, body.description, body.gear_id)
            row["blocked_since"] = now if body.status == BLOCKED else None
            connection.execute(_INSERT, row | updated(now))
            grams = indexed_form(connection.dialect.name, row["searched"])
            connection.execute(_INSERT_GRAMS, {"task_id": task_id, "grams": grams})
            announce(connection, "task", task_id, "created")
            return _document(connection, task_id)

    def update(self, task_id: str, body: TaskUpdate, precondition: Precondition) -> str:
        """Change what the body holds; the rules apply to the result.

        Raises:
            NotFoundError: no such task.
            ValidationError: the result is blocked without a reason, or is given to nobody who is active.
        """
        with self._database.write() as connection:
            task = lock_task(connection, task_id)
            precondition(lambda: _document(connection, task_id))
            changes = _changes(task, present(body))
            if changes:
                if changes.get("assignee_id") is not None:
                    require_active(connection, changes["assignee_id"], "Assignee")
                row = _columns(changes) | updated(self._clock(connection), task.updated_at)
                if "status" in changes:
                    row["blocked_since"] = row["updated_at"] if changes["status"] == BLOCKED else None
                if not changes.keys().isdisjoint(_SEARCHED):
                    row["searched"] = _index(connection, task, changes)
                connection.execute(sa.update(tasks).where(tasks.c.id == task_id).values(**row))
                announce(connection, "task", task_id, "updated")
            return _document(connection, task_id)

    def delete(self, task_id: str, precondition: Precondition) -> None:
        """Delete a task with all that belongs to it; raises NotFoundError."""
        with self._database.write() as connection:
            lock_task(connection, task_id)
            precondition(lambda: _document(connection, task_id))
            connection.execute(sa.delete(tasks).where(tasks.c.id == task_id))
            announce(connection, "task", task_id, "deleted")


def _document(connection: sa.Connection, task_id: str) -> str:
    found: str | None = connection.execute(_one(connection.dialect.name), {"task_id": task_id}).scalar()
    if found is None:
        raise NotFoundError("Task not found")
    return found


@functools.cache
def _one(dialect: str) -> sa.Select[str]:
    document = task_document(dialect, with_updates=True)
    return sa.select(document).select_from(tasks).where(tasks.c.id == sa.bindparam("task_id"))


def _changes(task: sa.Row[Any], sent: dict[str, Any]) -> dict[str, Any]:
    """Return what becomes different, with the blocking reason that the result has."""
    status = sent.get("status", task.status)
    sent["blocking_reason"] = _blocking_reason(status, sent.get("blocking_reason", task.blocking_reason))
    return {name: value for name, value in sent.items() if value != getattr(task, name)}


def _blocking_reason(status: str, reason: str | None) -> str:
    """Return the reason of a blocked task, and nothing for others.

    Raises:
        ValidationError: a blocked task has none.
    """
    if status != BLOCKED:
        return ""
    if not reason:
        raise ValidationError("Blocking reason is required when status is Blocked")
    return reason


def _columns(fields: dict[str, Any]) -> dict[str, Any]:
    """Add the places of words among their like."""
    ranks = {
        f"{name}_rank": words.index(fields[name])
        for name, words in (("status", STATUSES), ("priority", PRIORITIES))
        if name in fields
    }
    return fields | ranks


def _index(connection: sa.Connection, task: sa.Row[Any], changes: dict[str, Any]) -> str:
    """Bring the search's index to a changed text; return what is searched now."""
    searched = searched_text(*(changes.get(name, getattr(task, name)) for name in _SEARCHED))
    grams = indexed_form(connection.dialect.name, searched)
    connection.execute(sa.update(task_grams).where(task_grams.c.task_id == task.id).values(grams=grams))
    return searched
