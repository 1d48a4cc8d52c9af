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

_newest_first = (daily_updates.c.created_at.desc(), daily_updates.c.id)
Index("ix_daily_updates_newest", *_newest_first)
Index("ix_daily_updates_task_newest", daily_updates.c.task_id, *_newest_first)
Index("ix_daily_updates_author_newest", daily_updates.c.author_id, *_newest_first)
