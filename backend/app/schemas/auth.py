"""Request and response bodies of users' tokens."""

from __future__ import annotations

from typing import Annotated

import msgspec

from app.core.jwt import MAX_ID_CHARS, is_id
from app.core.validation import Rule, plain_string
from app.schemas.common import Timestamp


def _check_user_id(value: object) -> str:
    user_id = plain_string(value)
    if not is_id(user_id):
        raise ValueError(f"String should have 1 to {MAX_ID_CHARS} printable characters, without blanks at its ends")
    return user_id


class TokenRequest(msgspec.Struct):
    """For whom a token is wanted."""

    user_id: Annotated[str, Rule(_check_user_id, type="string", minLength=1, maxLength=MAX_ID_CHARS)]


class IssuedToken(msgspec.Struct):
    """A user's token."""

    token: str
    expires_at: Timestamp

    def __repr__(self) -> str:
        return "IssuedToken(...)"
