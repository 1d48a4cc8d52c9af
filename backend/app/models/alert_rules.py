"""Alert rules and the webhooks they call."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import Boolean, Column, Named, Table, Text, TypedColumns

from app.db.base import Instant, UuidText, metadata


class AlertRuleColumns(TypedColumns):
    """Columns of `alert_rules`; the values of webhook headers are in the vault."""

    id: Named[str] = Column(UuidText, primary_key=True)
    name: Named[str] = Column(Text, nullable=False)
    enabled: Named[bool] = Column(Boolean, nullable=False)
    webhook_url: Named[str] = Column(Text, nullable=False)
    header_names: Named[str] = Column(Text, nullable=False)
    """JSON array, in the order they were given."""
    allow_private: Named[bool] = Column(Boolean, nullable=False)
    """Loopback and private targets are allowed."""
    created_at: Named[dt.datetime] = Column(Instant, nullable=False)
    updated_at: Named[dt.datetime] = Column(Instant, nullable=False)


alert_rules: Final = Table("alert_rules", metadata, AlertRuleColumns)
