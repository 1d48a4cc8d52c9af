"""Answers that were given to requests with an `Idempotency-Key`, kept for their repetition."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import Column, Index, Integer, Named, Table, Text, TypedColumns

from app.db.base import Instant, metadata


class IdempotencyColumns(TypedColumns):
    """Columns of `idempotency_keys`: written by the transaction that creates what the answer tells of."""

    caller: Named[str] = Column(Text, primary_key=True)
    """The installation that asked: its launch tokens change, its keys go on to count."""
    route: Named[str] = Column(Text, primary_key=True)
    key: Named[str] = Column(Text, primary_key=True)
    fingerprint: Named[str] = Column(Text, nullable=False)
    """SHA-256 of the request, in hex: another request must not get its answer."""
    status: Named[int] = Column(Integer, nullable=False)
    headers: Named[str] = Column(Text, nullable=False)
    """A JSON object."""
    body: Named[str] = Column(Text, nullable=False)
    created_at: Named[dt.datetime] = Column(Instant, nullable=False)


idempotency_keys: Final = Table("idempotency_keys", metadata, IdempotencyColumns)

Index("ix_idempotency_keys_created_at", idempotency_keys.c.created_at)
