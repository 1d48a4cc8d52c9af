"""Everything of the team's work as JSON lines: a header line, then members, tasks, sub-tasks and daily updates."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import msgspec
import sqlalchemy as sa

from app import __version__
from app.db.base import instant_text
from app.db.clock import database_now
from app.db.migrations import HEAD
from app.db.session import STREAMED
from app.models.daily_updates import daily_updates
from app.models.members import members
from app.models.sub_tasks import sub_tasks
from app.models.tasks import tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.db.session import Database

FORMAT: Final = "taskflow-export"
_INTERNAL: Final = frozenset(
    ("name_folded", "email_folded", "searched", "status_rank", "priority_rank", "created_order", "updated_order")
)
"""Columns that are made of others."""
TABLES: Final[dict[str, sa.Table[Any]]] = {
    "member": members,
    "task": tasks,
    "sub_task": sub_tasks,
    "daily_update": daily_updates,
}
"""By the resource that a line names, each after those it refers to."""
_ORDERS: Final = {
    "member": (members.c.id,),
    "task": (tasks.c.created_order, tasks.c.id),
    "sub_task": (sub_tasks.c.task_id, sub_tasks.c.position),
    "daily_update": (daily_updates.c.task_id, daily_updates.c.created_at, daily_updates.c.id),
}


def export_lines(database: Database) -> Iterator[str]:
    """Yield the lines, each with its end, as one moment saw them.

    Raises:
        DatabaseAwayError: the database cannot be used now.
    """
    with database.snapshot() as connection:
        yield _line(_header(connection))
        for resource, table in TABLES.items():
            columns = [column for column in table.c if column.name not in _INTERNAL]
            query = sa.select(*columns).order_by(*_ORDERS[resource])
            for row in connection.execute(query, execution_options=STREAMED).mappings():
                yield _line({"resource": resource, **row})


def _header(connection: sa.Connection) -> dict[str, Any]:
    """Return what the file is, and how many lines of each resource it has: half a file is none."""
    counts = sa.select(
        *(sa.select(sa.func.count()).select_from(table).scalar_subquery().label(name) for name, table in TABLES.items())
    )
    return {
        "format": FORMAT,
        "version": __version__,
        "revision": HEAD,
        "exported_at": database_now(connection),
        "lines": dict(connection.execute(counts).mappings().one()),
    }


def _line(values: dict[str, Any]) -> str:
    shown = {name: instant_text(value) if isinstance(value, dt.datetime) else value for name, value in values.items()}
    return msgspec.json.encode(shown).decode() + "\n"
