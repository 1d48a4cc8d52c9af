"""Request and response bodies of tenants."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from app.core.validation import Rule, integer, one_of, slug, text
from app.schemas.common import Timestamp
from app.schemas.keys import ExpiresAt, check_key, is_shown
from app.schemas.vault import MAX_SECRET_CHARS

KEY_PREFIX: Final = "sk-"
DEFAULT_TRIAL_LIMIT: Final = 100
MAX_TRIAL_LIMIT: Final = 1_000_000
DEFAULT_TRIAL_TOKENS: Final = 200_000
MAX_TRIAL_TOKENS: Final = 1_000_000_000

Name = Annotated[str, text(100)]
TIERS: Final = ("trial", "pro", "enterprise")
Tier = Annotated[str, one_of(*TIERS)]
TrialLimit = Annotated[int, integer(0, MAX_TRIAL_LIMIT)]
TrialTokens = Annotated[int, integer(0, MAX_TRIAL_TOKENS)]


class Tenant(msgspec.Struct):
    """A tenant."""

    id: str
    name: str
    tier: str
    trial_limit: int
    trial_tokens: int


class TenantCreate(msgspec.Struct):
    """A new tenant; its id is given by the embedding application."""

    id: Annotated[str, slug(64)]
    name: Name
    tier: Tier


class TenantUpdate(msgspec.Struct):
    """A change of a tenant: only what is present changes."""

    name: Name | UnsetType = UNSET
    tier: Tier | UnsetType = UNSET
    trial_limit: TrialLimit | UnsetType = UNSET
    trial_tokens: TrialTokens | UnsetType = UNSET


def _check_openai_key(value: object) -> str:
    key = check_key(value)
    if not key.startswith(KEY_PREFIX) and not is_shown(key):
        raise ValueError(f"String should start with {KEY_PREFIX}")
    if key == KEY_PREFIX:
        raise ValueError(f"String should start with {KEY_PREFIX} and go on")
    return key


_SCHEMA: Final[dict[str, Any]] = {
    "type": "string",
    "minLength": len(KEY_PREFIX) + 1,
    "maxLength": MAX_SECRET_CHARS,
    "pattern": rf"^\s*({KEY_PREFIX}[^\u0000]*[^\s\u0000]|\*\*\*\*|…)[^\u0000]*$",
}


class OpenAIKeyBody(msgspec.Struct):
    """A tenant's OpenAI key; a mask keeps what is stored."""

    api_key: Annotated[str, Rule(_check_openai_key, **_SCHEMA)]
    expires_at: ExpiresAt = UNSET

    def __repr__(self) -> str:
        return "OpenAIKeyBody(...)"


class OpenAIKeyStored(msgspec.Struct):
    """The key was checked and stored."""

    status: Literal["stored"]
    hint: str | None


class OpenAIKeyStatus(msgspec.Struct):
    """A tenant's OpenAI key: never the key itself."""

    has_key: bool
    hint: str | None
    status: str | None
    last_validated_at: Timestamp | None
