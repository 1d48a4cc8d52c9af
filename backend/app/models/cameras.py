"""Cameras."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import Boolean, Column, Index, Named, Table, Text, TypedColumns

from app.db.base import Instant, UuidText, metadata


class CameraColumns(TypedColumns):
    """Columns of `cameras`; the password is in the vault."""

    id: Named[str] = Column(UuidText, primary_key=True)
    name: Named[str] = Column(Text, nullable=False)
    stream_url: Named[str] = Column(Text, nullable=False)
    """Without credentials: those are moved to `username` and the vault."""
    username: Named[str | None] = Column(Text)
    active: Named[bool] = Column(Boolean, nullable=False)
    created_at: Named[dt.datetime] = Column(Instant, nullable=False)
    updated_at: Named[dt.datetime] = Column(Instant, nullable=False)


cameras: Final = Table("cameras", metadata, CameraColumns)
Index("uq_cameras_name", cameras.c.name, unique=True)
