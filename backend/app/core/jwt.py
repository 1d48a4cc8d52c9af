"""Users' tokens: JSON Web Tokens (RFC 7519) signed with HS256, which an embedding application issues or we mint."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

LIFETIME: Final = dt.timedelta(minutes=15)
MAX_ID_CHARS: Final = 255
_ALGORITHM: Final = "HS256"
_KIND_CLAIMS: Final = ("type", "token_type", "token_use")


class JwtError(ValueError):
    """The token is malformed, not genuine, expired, or not meant for access."""


def read_token(token: str, secret: str) -> tuple[str, str | None]:
    """Return whom a token is for: `sub`, and `tenant_id` where it has one.

    Raises:
        JwtError: it is no access token of ours; says nothing of what it holds.
    """
    claims = _claims(token, secret)
    if claims is None or any(claims.get(claim) == "refresh" for claim in _KIND_CLAIMS):
        raise JwtError("The token cannot be used")
    user_id, tenant_id = claims["sub"], claims.get("tenant_id")
    if not is_id(user_id) or not (tenant_id is None or is_id(tenant_id)):
        raise JwtError("The token cannot be used")
    return user_id, tenant_id


def mint_token(user_id: str, secret: str, now: dt.datetime) -> tuple[str, dt.datetime]:
    """Return a token for a user, and when it expires, in whole seconds."""
    import jwt

    expires_at = now.replace(microsecond=0) + LIFETIME
    return jwt.encode({"sub": user_id, "iat": now, "exp": expires_at}, secret, algorithm=_ALGORITHM), expires_at


def _claims(token: str, secret: str) -> dict[str, Any] | None:
    """Return the claims of a genuine token; the library's errors, which may quote it, end here."""
    import jwt

    options: Any = {"require": ["exp", "sub"], "verify_aud": False}
    try:
        claims: dict[str, Any] = jwt.decode(token, secret, algorithms=[_ALGORITHM], options=options)
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None
    # the library would take a number in text as well, which RFC 7519 does not know
    return claims if isinstance(claims["exp"], (int, float)) else None


def is_id(value: object) -> bool:
    """Tell whether a value can be the id of a user or tenant in a token."""
    return isinstance(value, str) and 0 < len(value) <= MAX_ID_CHARS and value.isprintable() and value == value.strip()
