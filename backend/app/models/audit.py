"""The audit log: what was done with which secret, by whom, in chains that show every tampering."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, Named, Table, TypedColumns

from app.db.base import metadata
from app.db.lenient import LenientBigNumber, LenientInstant, LenientNumber, LenientText


class AuditColumns(TypedColumns):
    """Columns of `audit_entries`; `mac` covers all others but `seq`, and `prev` is the `mac` before it."""

    seq: Named[int] = Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True)
    """Order of arrival over all desktops; may have gaps, `writer_seq` has none."""
    writer: Named[str] = Column(LenientText, nullable=False)
    """Install id and fingerprint of the local root key: one chain each."""
    writer_seq: Named[int] = Column(LenientBigNumber, nullable=False)
    time: Named[dt.datetime] = Column(LenientInstant, nullable=False)
    actor: Named[str] = Column(LenientText, nullable=False)
    device: Named[str] = Column(LenientText, nullable=False)
    action: Named[str] = Column(LenientText, nullable=False)
    owner_kind: Named[str | None] = Column(LenientText)
    owner_id: Named[str | None] = Column(LenientText)
    name: Named[str | None] = Column(LenientText)
    fingerprint: Named[str | None] = Column(LenientText)
    outcome: Named[str] = Column(LenientText, nullable=False)
    reason: Named[str | None] = Column(LenientText)
    count: Named[int] = Column(LenientNumber, nullable=False)
    prev: Named[str] = Column(LenientText, nullable=False)
    mac: Named[str] = Column(LenientText, nullable=False)


audit_entries: Final = Table("audit_entries", metadata, AuditColumns)
Index("uq_audit_entries_writer_writer_seq", audit_entries.c.writer, audit_entries.c.writer_seq, unique=True)
Index("ix_audit_entries_owner", audit_entries.c.owner_kind, audit_entries.c.owner_id, audit_entries.c.seq)
Index("ix_audit_entries_action_seq", audit_entries.c.action, audit_entries.c.seq)
Index("ix_audit_entries_owner_kind_seq", audit_entries.c.owner_kind, audit_entries.c.seq)
