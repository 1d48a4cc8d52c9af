"""Request and response bodies of users' keys, and of the initial ones that stand in for them."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta

from app.core.validation import Rule, plain_string
from app.schemas.common import Timestamp
from app.schemas.keys import ExpiresAt, Provider, check_key, is_shown

MIN_KEY_CHARS: Final = 10
MAX_KEY_CHARS: Final = 512
_INNER: Final = rf"[^\u0000]{{{MIN_KEY_CHARS - 2},{MAX_KEY_CHARS - 2}}}"
_SCHEMA: Final[dict[str, Any]] = {
    "type": "string",
    "pattern": rf"^\s*((\*\*\*\*|…)[^\u0000]*|[^\s\u0000]{_INNER}[^\s\u0000])\s*$",
}


def _check_user_key(value: object) -> str:
    key = plain_string(value).strip()
    if is_shown(key):
        return check_key(key)
    if len(key) < MIN_KEY_CHARS:
        raise ValueError(f"String should have at least {MIN_KEY_CHARS} characters")
    if len(key) > MAX_KEY_CHARS:
        raise ValueError(f"String should have at most {MAX_KEY_CHARS} characters")
    return key


class UserKeyBody(msgspec.Struct):
    """A key to store; a mask keeps what is stored."""

    provider: Provider
    api_key: Annotated[str, Rule(_check_user_key, **_SCHEMA)]
    expires_at: ExpiresAt = UNSET

    def __repr__(self) -> str:
        return f"UserKeyBody({self.provider})"


class UserKeyAnswer(msgspec.Struct):
    """What became of a key."""

    success: bool
    message: Annotated[str, Meta(description="One sentence for a person")]
    provider: Annotated[str | None, Meta(description="Null if all keys were meant")]
    is_valid: Annotated[bool | None, Meta(description="What its provider says; null if it did not tell")]


class UserKeyStatus(msgspec.Struct):
    """Whether there is a key for a provider, and what is known of it."""

    provider: str
    has_api_key: bool
    hint: Annotated[str | None, Meta(description="Last four characters of a long key, such as …1234")]
    status: Annotated[str | None, Meta(description="The provider's last verdict; or expired, or unreadable")]
    is_valid: Annotated[bool | None, Meta(description="What its provider said last; null if that is not known")]
    last_validated: Timestamp | None
    created_at: Timestamp | None
    expires_at: Timestamp | None


class UserKeys(msgspec.Struct):
    """Keys by provider; every provider is there."""

    providers: dict[str, UserKeyStatus]


class InitialKeys(msgspec.Struct):
    """Initial keys by provider; every provider is there."""

    providers: dict[str, UserKeyStatus]
    open: Annotated[bool, Meta(description="Whether initial keys may still be set: no user has a key yet")]
