"""Request and response bodies of chat servers."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from app.core.validation import one_of
from app.schemas.keys import ApiKey, ExpiresAt, KeyInfo, Provider

Visibility = Annotated[str, one_of("public", "hidden")]
RollMode = Annotated[
    str, one_of("manual_physical_total", "manual_physical_raw", "manual_digital", "auto_visible", "auto_hidden")
]
SheetMode = Annotated[str, one_of("digital_sheet", "physical_sheet")]


class ServerConfigBody(msgspec.Struct):
    """Replaces a server's settings: modes that are absent take their defaults, and an absent key stays."""

    api_key: ApiKey | UnsetType = UNSET
    provider: Provider | UnsetType = UNSET
    dm_roll_visibility: Visibility = "public"
    player_roll_mode: RollMode = "manual_digital"
    character_sheet_mode: SheetMode = "digital_sheet"
    expires_at: ExpiresAt = UNSET

    def __repr__(self) -> str:
        return "ServerConfigBody(...)"


class ServerConfig(msgspec.Struct):
    """A server's settings."""

    server_id: str
    provider: str
    dm_roll_visibility: str
    player_roll_mode: str
    character_sheet_mode: str
    api_key: KeyInfo


class RevealedKey(msgspec.Struct):
    """A key in plain text."""

    api_key: str

    def __repr__(self) -> str:
        return "RevealedKey(...)"
