"""Request and response bodies of chat servers."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, UnsetType

from app.core.validation import one_of
from app.schemas.keys import ApiKey, ExpiresAt, KeyInfo, Provider

VISIBILITIES: Final = ("public", "hidden")
ROLL_MODES: Final = (
    "manual_physical_total",
    "manual_physical_raw",
    "manual_digital",
    "auto_visible",
    "auto_hidden",
)
SHEET_MODES: Final = ("digital_sheet", "physical_sheet")
DEFAULT_MODES: Final = ("public", "manual_digital", "digital_sheet")

Visibility = Annotated[str, one_of(*VISIBILITIES)]
RollMode = Annotated[str, one_of(*ROLL_MODES)]
SheetMode = Annotated[str, one_of(*SHEET_MODES)]


class ServerConfigBody(msgspec.Struct):
    """Replaces a server's settings: modes that are absent take their defaults, and an absent key stays."""

    api_key: ApiKey | UnsetType = UNSET
    provider: Provider | UnsetType = UNSET
    dm_roll_visibility: Visibility = DEFAULT_MODES[0]
    player_roll_mode: RollMode = DEFAULT_MODES[1]
    character_sheet_mode: SheetMode = DEFAULT_MODES[2]
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
