"""The steps of a task."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Named, Table, Text, TypedColumns

from app.db.base import Instant, UuidText, metadata


class SubTaskColumns(TypedColumns):
    """Columns of `sub_tasks`."""

    id: Named[str] = Column(UuidText, primary_key=True)
    task_id: Named[str] = Column(UuidText, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False)
    title: Named[str] = Column(Text, nullable=False)
    completed: Named[bool] = Column(Boolean, nullable=False)
    position: Named[int] = Column(Integer, nullable=False)
    """0 to n-1 within the task; negative only inside a transaction that moves it."""
    created_at: Named[dt.datetime] = Column(Instant, nullable=False)


sub_tasks: Final = Table("sub_tasks", metadata, SubTaskColumns)
Index("uq_sub_tasks_task_id_position", sub_tasks.c.task_id, sub_tasks.c.position, unique=True)
