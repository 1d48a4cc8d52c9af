"""Tenants, and what trial tenants call on the platform's key."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import Column, ForeignKey, Named, Table, TypedColumns

from app.db.base import metadata
from app.db.lenient import LenientBigNumber, LenientInstant, LenientNumber, LenientText


class TenantColumns(TypedColumns):
    """Columns of `tenants`."""

    id: Named[str] = Column(LenientText, primary_key=True)
    name: Named[str] = Column(LenientText, nullable=False)
    tier: Named[str] = Column(LenientText, nullable=False)
    trial_limit: Named[int] = Column(LenientNumber, nullable=False)
    """Calls a day that a trial tenant may make on the platform's key."""
    trial_tokens: Named[int] = Column(LenientNumber, nullable=False, server_default="200000")
    """Tokens a day that they may cost."""
    created_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)
    updated_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)


class TrialCallColumns(TypedColumns):
    """Columns of `trial_calls`: calls of a trial tenant on the platform's key, by day."""

    tenant_id: Named[str] = Column(LenientText, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    day: Named[str] = Column(LenientText, primary_key=True)
    """ISO date in UTC."""
    calls: Named[int] = Column(LenientNumber, nullable=False)
    tokens: Named[int] = Column(LenientBigNumber, nullable=False, server_default="0")


tenants: Final = Table("tenants", metadata, TenantColumns)
trial_calls: Final = Table("trial_calls", metadata, TrialCallColumns)
