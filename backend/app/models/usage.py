"""What went through the gateway."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Named, Table, Text, TypedColumns

from app.db.base import metadata


class UsageColumns(TypedColumns):
    """Columns of `ai_usage`: what went through the gateway, by owner, provider, model and day."""

    owner_kind: Named[str] = Column(Text, primary_key=True)
    owner_id: Named[str] = Column(Text, primary_key=True)
    provider: Named[str] = Column(Text, primary_key=True)
    model: Named[str] = Column(Text, primary_key=True)
    day: Named[str] = Column(Text, primary_key=True)
    """ISO date in UTC."""
    requests: Named[int] = Column(BigInteger, nullable=False)
    input_tokens: Named[int] = Column(BigInteger, nullable=False)
    output_tokens: Named[int] = Column(BigInteger, nullable=False)


ai_usage: Final = Table("ai_usage", metadata, UsageColumns)
