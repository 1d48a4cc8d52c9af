"""Request and response bodies of the system's keys of AI providers."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from app.schemas.keys import KeyInfo, KeyWrite, key_write


class SystemKeys(msgspec.Struct):
    """The system's keys."""

    openai: KeyInfo
    anthropic: KeyInfo
    google: KeyInfo
    deepseek: KeyInfo


class SystemKeysBody(msgspec.Struct):
    """Keys to set; null removes one, an absent one stays. An object with `api_key` may bring an expiry along."""

    openai: Annotated[KeyWrite, key_write("openai")] | UnsetType | None = UNSET
    anthropic: Annotated[KeyWrite, key_write("anthropic")] | UnsetType | None = UNSET
    google: Annotated[KeyWrite, key_write("google")] | UnsetType | None = UNSET
    deepseek: Annotated[KeyWrite, key_write("deepseek")] | UnsetType | None = UNSET
