"""The log of changes to the team's work, from which every desktop's event streams are fed."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import DDL, BigInteger, Column, Index, Integer, Named, Table, Text, TypedColumns, event

from app.db.base import Instant, metadata


class ChangeColumns(TypedColumns):
    """Columns of `changes`: one row a change, written by the transaction that makes the change."""

    id: Named[int] = Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True)
    """Order of writing, which is not the order in which transactions become visible to others."""
    number: Named[int | None] = Column(BigInteger)
    """Order of becoming visible, without gaps: given on PostgreSQL by whoever reads the row first, after its commit."""
    resource: Named[str] = Column(Text, nullable=False)
    resource_id: Named[str] = Column(Text, nullable=False)
    change: Named[str] = Column(Text, nullable=False)
    at: Named[dt.datetime] = Column(Instant, nullable=False)
    """When it was written; with the number it names one row of one database, also after a backup was restored."""


changes: Final = Table("changes", metadata, ChangeColumns)

Index("uq_changes_number", changes.c.number, unique=True)
# As text, which both databases understand: an `Index` with a condition would import both dialects at every start.
_UNNUMBERED: Final[DDL] = DDL(  # type: ignore[no-untyped-call]
    "CREATE INDEX ix_changes_unnumbered ON changes (id) WHERE number IS NULL"
)
event.listen(changes, "after_create", _UNNUMBERED)
