"""Settings of chat (Discord) servers."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import Column, Named, Table, Text, TypedColumns

from app.db.base import Instant, metadata


class ChatServerColumns(TypedColumns):
    """Columns of `chat_servers`: settings of one chat (Discord) server; its API key is in the vault."""

    server_id: Named[str] = Column(Text, primary_key=True)
    provider: Named[str] = Column(Text, nullable=False)
    dm_roll_visibility: Named[str] = Column(Text, nullable=False)
    player_roll_mode: Named[str] = Column(Text, nullable=False)
    character_sheet_mode: Named[str] = Column(Text, nullable=False)
    created_at: Named[dt.datetime] = Column(Instant, nullable=False)
    updated_at: Named[dt.datetime] = Column(Instant, nullable=False)


chat_servers: Final = Table("chat_servers", metadata, ChatServerColumns)
