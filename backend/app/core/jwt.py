"""Users' tokens: JSON Web Tokens (RFC 7519) signed with HS256, which an embedding application issues or we mint."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

LIFETIME: Final = dt.timedelta(minutes=15)
MAX_ID_CHARS: Final = 255
_ALGORITHM: Final = "HS256"
_KINDS: Final = ("type", "token_type", "token_use", "typ")
"""Where issuers say what a token is for, among the claims or in the header."""


class JwtError(ValueError):
    """The token is malformed, not genuine, expired, or not meant for access."""


def read_token(
    token: str, secret: str, *, audience: str | None = None, issuer: str | None = None
) -> tuple[str, str | None]:
    """Return whom a token is for: `sub`, and `tenant_id` where it has one.

    Args:
        token: what a caller has shown.
        secret: what it must be signed with.
        audience: demanded as `aud`, or one of several; None demands nothing.
        issuer: demanded as `iss`; None demands nothing.

    Raises:
        JwtError: it is no access token of ours; says nothing of what it holds.
    """
    claims = _claims(token, secret, audience, issuer)
    if claims is None:
        raise JwtError("The token cannot be used")
    user_id, tenant_id = claims["sub"], claims.get("tenant_id")
    if not is_id(user_id) or not (tenant_id is None or is_id(tenant_id)):
        raise JwtError("The token cannot be used")
    return user_id, tenant_id


def mint_token(
    user_id: str, secret: str, now: dt.datetime, *, audience: str | None = None, issuer: str | None = None
) -> tuple[str, dt.datetime]:
    """Return a token for a user that `read_token` takes, and when it expires, in whole seconds."""
    import jwt

    expires_at = now.replace(microsecond=0) + LIFETIME
    claims = {"sub": user_id, "iat": now, "exp": expires_at, "aud": audience, "iss": issuer}
    told = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(told, secret, algorithm=_ALGORITHM), expires_at


def _claims(token: str, secret: str, audience: str | None, issuer: str | None) -> dict[str, Any] | None:
    """Return the claims of a genuine token for access; the library's errors, which may quote it, end here."""
    import jwt

    options: Any = {"require": ["exp", "sub"], "verify_aud": audience is not None}
    try:
        found = jwt.decode_complete(
            token, secret, algorithms=[_ALGORITHM], audience=audience, issuer=issuer, options=options
        )
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None
    claims: dict[str, Any] = found["payload"]
    if any(_is_refresh(part.get(name)) for part in (claims, found["header"]) for name in _KINDS):
        return None
    # the library would take a number in text as well, which RFC 7519 does not know
    return claims if isinstance(claims["exp"], (int, float)) else None


def _is_refresh(kind: object) -> bool:
    """Tell whether a token is for getting others: ``refresh``, ``Refresh``, ``refresh_token``, ``refresh+jwt``."""
    return isinstance(kind, str) and kind.lower().removesuffix("+jwt").removesuffix("_token") == "refresh"


def is_id(value: object) -> bool:
    """Tell whether a value can be the id of a user or tenant in a token."""
    return isinstance(value, str) and 0 < len(value) <= MAX_ID_CHARS and value.isprintable() and value == value.strip()
