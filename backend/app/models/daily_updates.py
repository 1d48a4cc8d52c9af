"""What members tell of their work on a task."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Index, Named, Table, Text, TypedColumns

from app.db.base import Instant, UuidText, metadata


class DailyUpdateColumns(TypedColumns):
    """Columns of `daily_updates`."""

    id: Named[str] = Column(UuidText, primary_key=True)
    task_id: Named[str] = Column(UuidText, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False)
    author_id: Named[str] = Column(UuidText, ForeignKey("members.id"), nullable=False)
    content: Named[str] = Column(Text, nullable=False)
    edited: Named[bool] = Column(Boolean, nullable=False)
    created_at: Named[dt.datetime] = Column(Instant, nullable=False)
    updated_at: Named[dt.datetime] = Column(Instant, nullable=False)


daily_updates: Final = Table("daily_updates", metadata, DailyUpdateColumns)
Index("ix_daily_updates_task_id_created_at", daily_updates.c.task_id, daily_updates.c.created_at)
Index("ix_daily_updates_author_id", daily_updates.c.author_id)
