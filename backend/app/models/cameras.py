"""Cameras."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import Column, Index, Named, Table, TypedColumns

from app.db.base import metadata
from app.db.lenient import LenientBoolean, LenientInstant, LenientText, LenientUuid


class CameraColumns(TypedColumns):
    """Columns of `cameras`; the password is in the vault."""

    id: Named[str] = Column(LenientUuid, primary_key=True)
    name: Named[str] = Column(LenientText, nullable=False)
    stream_url: Named[str] = Column(LenientText, nullable=False)
    """Without credentials: those are moved to `username` and the vault."""
    username: Named[str | None] = Column(LenientText)
    active: Named[bool] = Column(LenientBoolean, nullable=False)
    created_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)
    updated_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)


cameras: Final = Table("cameras", metadata, CameraColumns)
Index("uq_cameras_name", cameras.c.name, unique=True)
