"""Users' tokens for whoever embeds the sidecar and has no tokens of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.exceptions import RequestError
from app.core.jwt import mint_token
from app.db.base import instant_text, utc_now
from app.schemas.auth import IssuedToken

if TYPE_CHECKING:
    from app.core.config import Config


class JwtNotConfiguredError(RequestError):
    """There is no secret to sign tokens with."""

    status = 503
    code = "jwt-not-configured"


class Tokens:
    """Issues users' tokens."""

    def __init__(self, config: Config) -> None:
        self._secret = config.jwt_secret
        self._audience = config.jwt_audience
        self._issuer = config.jwt_issuer

    def issue(self, user_id: str) -> IssuedToken:
        """Return a token for a user; raises JwtNotConfiguredError."""
        if self._secret is None:
            raise JwtNotConfiguredError("JWT_SECRET_KEY is not set: start the sidecar with it to issue tokens")
        token, expires_at = mint_token(user_id, self._secret, utc_now(), audience=self._audience, issuer=self._issuer)
        return IssuedToken(token, instant_text(expires_at) or "")
