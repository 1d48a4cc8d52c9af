"""HTTP for users' tokens."""

from __future__ import annotations

from litestar import Controller, Response, post

from app.api.openapi import JsonBody, errors
from app.schemas.auth import IssuedToken, TokenRequest
from app.services.tokens import Tokens


class AuthController(Controller):
    """Tokens."""

    path = "/auth"
    tags = ["auth"]

    @post(
        "/token",
        dto=JsonBody[TokenRequest],
        status_code=200,
        sync_to_thread=False,
        responses=errors(400, 413, 503),
        summary="Issue a user's token",
    )
    def issue_token(self, data: TokenRequest, tokens: Tokens) -> Response[IssuedToken]:
        """A JSON Web Token, good for 15 minutes, with which the user's own keys are managed and used."""
        return Response(tokens.issue(data.user_id), headers={"Cache-Control": "no-store"})
