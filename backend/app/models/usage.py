"""What went through the gateway."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Named, Table, TypedColumns

from app.db.base import metadata
from app.db.lenient import LenientBigNumber, LenientText


class UsageColumns(TypedColumns):
    """Columns of `ai_usage`: what went through the gateway, by owner, provider, model and day."""

    owner_kind: Named[str] = Column(LenientText, primary_key=True)
    owner_id: Named[str] = Column(LenientText, primary_key=True)
    provider: Named[str] = Column(LenientText, primary_key=True)
    model: Named[str] = Column(LenientText, primary_key=True)
    day: Named[str] = Column(LenientText, primary_key=True)
    """ISO date in UTC."""
    requests: Named[int] = Column(LenientBigNumber, nullable=False)
    input_tokens: Named[int] = Column(LenientBigNumber, nullable=False)
    output_tokens: Named[int] = Column(LenientBigNumber, nullable=False)


ai_usage: Final = Table("ai_usage", metadata, UsageColumns)
