"""The audit log: what was done with which secret, by whom, in chains that show every tampering."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, Named, Table, Text, TypedColumns

from app.db.base import Instant, metadata


class AuditColumns(TypedColumns):
    """Columns of `audit_entries`; `mac` covers all others but `seq`, and `prev` is the `mac` before it."""

    seq: Named[int] = Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True)
    """Order of arrival over all desktops; may have gaps, `writer_seq` has none."""
    writer: Named[str] = Column(Text, nullable=False)
    """Install id and fingerprint of the local root key: one chain each."""
    writer_seq: Named[int] = Column(BigInteger, nullable=False)
    time: Named[dt.datetime] = Column(Instant, nullable=False)
    actor: Named[str] = Column(Text, nullable=False)
    device: Named[str] = Column(Text, nullable=False)
    action: Named[str] = Column(Text, nullable=False)
    owner_kind: Named[str | None] = Column(Text)
    owner_id: Named[str | None] = Column(Text)
    name: Named[str | None] = Column(Text)
    fingerprint: Named[str | None] = Column(Text)
    outcome: Named[str] = Column(Text, nullable=False)
    reason: Named[str | None] = Column(Text)
    count: Named[int] = Column(Integer, nullable=False)
    prev: Named[str] = Column(Text, nullable=False)
    mac: Named[str] = Column(Text, nullable=False)


audit_entries: Final = Table("audit_entries", metadata, AuditColumns)
Index("uq_audit_entries_writer_writer_seq", audit_entries.c.writer, audit_entries.c.writer_seq, unique=True)
Index("ix_audit_entries_owner", audit_entries.c.owner_kind, audit_entries.c.owner_id, audit_entries.c.seq)
Index("ix_audit_entries_action_seq", audit_entries.c.action, audit_entries.c.seq)
Index("ix_audit_entries_owner_kind_seq", audit_entries.c.owner_kind, audit_entries.c.seq)
