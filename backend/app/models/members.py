"""The people of the team."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import Boolean, Column, Index, Named, Table, Text, TypedColumns

from app.db.base import Instant, UuidText, metadata


class MemberColumns(TypedColumns):
    """Columns of `members`; the folded ones are written by the service and carry order and uniqueness."""

    id: Named[str] = Column(UuidText, primary_key=True)
    name: Named[str] = Column(Text, nullable=False)
    name_folded: Named[str] = Column(Text(collation="C").with_variant(Text(), "sqlite"), nullable=False)
    email: Named[str] = Column(Text, nullable=False)
    email_folded: Named[str] = Column(Text, nullable=False)
    active: Named[bool] = Column(Boolean, nullable=False)
    created_at: Named[dt.datetime] = Column(Instant, nullable=False)
    updated_at: Named[dt.datetime] = Column(Instant, nullable=False)


members: Final = Table(
    "members",
    metadata,
    MemberColumns,
)
Index("uq_members_email_folded", members.c.email_folded, unique=True)
Index("ix_members_name_folded_id", members.c.name_folded, members.c.id)
