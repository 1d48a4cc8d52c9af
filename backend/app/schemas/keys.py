"""How keys of AI providers are shown and written, whoever they belong to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.core.config import PROVIDER_NAMES
from app.core.encryption import MASK
from app.core.exceptions import ValidationError
from app.core.validation import Rule, build, one_of, text
from app.schemas.common import Timestamp
from app.schemas.vault import EXPIRY, MAX_SECRET_CHARS

if TYPE_CHECKING:
    from app.schemas.vault import SecretInfo

HINT_MARK: Final = "…"
PROVIDER: Final = one_of(*PROVIDER_NAMES)

Provider = Annotated[str, PROVIDER]
ExpiresAt = Annotated[dt.datetime, EXPIRY] | None | UnsetType
"""Null for never; absent leaves a kept key as it is, and a new one never expires."""


class KeyInfo(msgspec.Struct):
    """A stored key: never the key itself."""

    set: bool
    hint: Annotated[str | None, Meta(description="Last four characters of a long key, such as …1234")]
    status: Annotated[str | None, Meta(description="The provider's last verdict; or expired, or unreadable")]
    last_validated_at: Timestamp | None
    expires_at: Timestamp | None


def key_info(info: SecretInfo | None) -> KeyInfo:
    """Return a secret of the vault as the owners' resources show it."""
    if info is None:
        return KeyInfo(set=False, hint=None, status=None, last_validated_at=None, expires_at=None)
    return KeyInfo(
        set=True,
        hint=shown_hint(info),
        status=info.status,
        last_validated_at=info.last_validated_at,
        expires_at=info.expires_at,
    )


def shown_hint(info: SecretInfo) -> str | None:
    """Return the last characters of a secret as they are shown."""
    return None if info.hint is None else f"{HINT_MARK}{info.hint}"


_KEY: Final = text(MAX_SECRET_CHARS)


def is_shown(value: str) -> bool:
    """Tell whether somebody sent back what a read showed instead of the key."""
    return value.startswith((MASK, HINT_MARK))


def check_key(value: object) -> str:
    """Return a key without blanks around it, or `MASK` for one that was sent back as it was shown.

    Raises:
        ValueError: it is neither.
    """
    key: str = _KEY.check(value)
    return MASK if is_shown(key) else key


def _check_key_or_info(value: object) -> str | UnsetType:
    if not isinstance(value, dict):
        return check_key(value)
    if not isinstance(value.get("set"), bool):
        raise ValueError("Input should be a key, or the object as it was read")
    return MASK if value["set"] else UNSET


_AS_READ: Final = {
    "type": "object",
    "properties": {"set": {"type": "boolean"}},
    "required": ["set"],
    "description": "As it was read: what is stored is kept",
}
ApiKey = Annotated[str, Rule(_check_key_or_info, anyOf=[_KEY.schema, _AS_READ])]
"""A key, or what a read showed, which keeps what is stored."""


@dataclass(frozen=True, slots=True)
class KeyWrite:
    """What is to become of a key."""

    secret: str = field(repr=False)
    """`MASK` keeps what is stored."""
    expires_at: dt.datetime | UnsetType | None = UNSET


class KeyWithExpiry(msgspec.Struct):
    """A key, or its mask, and when it expires."""

    api_key: Annotated[str, Rule(check_key, **_KEY.schema)]
    expires_at: ExpiresAt = UNSET

    def __repr__(self) -> str:
        return "KeyWithExpiry(...)"


def key_write(name: str) -> Rule:
    """A key, an object with a key and its expiry, or an object as it was read."""

    def check(value: object) -> KeyWrite | UnsetType:
        if isinstance(value, dict) and "api_key" in value:
            try:
                given = build(KeyWithExpiry, value)
            except ValidationError as exc:
                raise ValidationError(f"{name}.{exc.message}") from None
            return KeyWrite(given.api_key, given.expires_at)
        secret = _check_key_or_info(value)
        return secret if isinstance(secret, UnsetType) else KeyWrite(secret)

    with_expiry = {
        "type": "object",
        "properties": {
            "api_key": _KEY.schema,
            "expires_at": {"anyOf": [EXPIRY.schema, {"type": "null"}]},
        },
        "required": ["api_key"],
    }
    return Rule(check, anyOf=[_KEY.schema, with_expiry, _AS_READ])
