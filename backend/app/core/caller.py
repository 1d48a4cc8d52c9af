"""Who asks: the holder of the launch token, or a user, who may belong to a tenant."""

from __future__ import annotations

from typing import Final, NamedTuple

from app.core.exceptions import ForbiddenError, UnauthorizedError

GATEWAY: Final = "/ai-gateway"
"""Below it, requests are the providers': any method, any path."""
CALLER: Final = "taskflow.caller"
"""Where the scope of a request that has passed holds its `Caller`."""


class Caller(NamedTuple):
    """Who asks: whoever launched the sidecar, or a user, who may belong to a tenant."""

    user_id: str | None = None
    tenant_id: str | None = None

    @property
    def is_launcher(self) -> bool:
        """Whether it is the launch token's holder, who may do everything."""
        return self.user_id is None

    @property
    def name(self) -> str:
        """What the audit log calls the caller, and under which limits count."""
        return "launch-token" if self.user_id is None else f"user:{self.user_id}"

    def require_launcher(self) -> None:
        """Refuse users; raises ForbiddenError."""
        if not self.is_launcher:
            raise ForbiddenError("This needs the launch token")

    def require_user(self) -> str:
        """Return the user's id; raises UnauthorizedError for whoever is none."""
        if self.user_id is None:
            raise unauthorized("This needs a user's token")
        return self.user_id

    def require_owner(self, owner_kind: str, owner_id: str) -> None:
        """Refuse users what belongs to another user or tenant; raises ForbiddenError."""
        if self.is_launcher:
            return
        own = {"user": self.user_id, "tenant": self.tenant_id}
        if owner_kind not in own:
            raise ForbiddenError(
                "A user's token opens only what is the user's or the tenant's own; this needs the launch token"
            )
        if own[owner_kind] != owner_id:
            raise ForbiddenError("This token is for another user or tenant")


LAUNCHER: Final = Caller()


def unauthorized(sentence: str) -> UnauthorizedError:
    """Return the error that asks for a token."""
    return UnauthorizedError(sentence, headers={"WWW-Authenticate": "Bearer"})
