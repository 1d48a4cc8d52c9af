"""Alert rules and the webhooks they call."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import Column, Named, Table, TypedColumns

from app.db.base import metadata
from app.db.lenient import LenientBoolean, LenientInstant, LenientText, LenientUuid


class AlertRuleColumns(TypedColumns):
    """Columns of `alert_rules`; the values of webhook headers are in the vault."""

    id: Named[str] = Column(LenientUuid, primary_key=True)
    name: Named[str] = Column(LenientText, nullable=False)
    enabled: Named[bool] = Column(LenientBoolean, nullable=False)
    webhook_url: Named[str] = Column(LenientText, nullable=False)
    header_names: Named[str] = Column(LenientText, nullable=False)
    """JSON array, in the order they were given."""
    allow_private: Named[bool] = Column(LenientBoolean, nullable=False)
    """Loopback and private targets are allowed."""
    created_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)
    updated_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)


alert_rules: Final = Table("alert_rules", metadata, AlertRuleColumns)
