"""Settings of chat (Discord) servers."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import Column, Named, Table, TypedColumns

from app.db.base import metadata
from app.db.lenient import LenientInstant, LenientText


class ChatServerColumns(TypedColumns):
    """Columns of `chat_servers`: settings of one chat (Discord) server; its API key is in the vault."""

    server_id: Named[str] = Column(LenientText, primary_key=True)
    provider: Named[str] = Column(LenientText, nullable=False)
    dm_roll_visibility: Named[str] = Column(LenientText, nullable=False)
    player_roll_mode: Named[str] = Column(LenientText, nullable=False)
    character_sheet_mode: Named[str] = Column(LenientText, nullable=False)
    created_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)
    updated_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)


chat_servers: Final = Table("chat_servers", metadata, ChatServerColumns)
