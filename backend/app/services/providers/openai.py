"""OpenAI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.services.providers.base import Provider, Verdict, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class OpenAI(Provider):
    """Bearer keys; errors carry `code` and `type`."""

    name = "openai"
    origin = "https://api.openai.com"
    check_path = "/v1/models"

    def headers(self, api_key: str) -> dict[str, str]:
        """Return the bearer header."""
        return {"Authorization": f"Bearer {api_key}"}

    def refusal(self, status: int, error: Mapping[str, Any]) -> Verdict | None:
        """Read `error.code`, `error.type`, and for rights and addresses the message, which alone tells those apart."""
        code, kind, message = (text_of(error, name) for name in ("code", "type", "message"))
        if status == 401:
            return _unauthorized(code, message)
        if status == 403:
            if "country" in code or "country" in message:
                return Verdict("blocked", "country")
            return Verdict("limited_scope", code or "forbidden")
        if status in (402, 429) and _is_quota(code, kind):
            return Verdict("no_quota", code or kind)
        return None


def _unauthorized(code: str, message: str) -> Verdict | None:
    if code in ("invalid_api_key", "incorrect_api_key"):
        return Verdict("invalid", code)
    if "missing scopes" in message or "insufficient permissions" in message:
        return Verdict("limited_scope", "missing-scopes")
    if "ip" in code.split("_") or "ip address" in message or "address" in message:
        return Verdict("blocked", "address")
    if "deactivated" in code or "deactivated" in message:
        return Verdict("blocked", "deactivated")
    return None


def _is_quota(code: str, kind: str) -> bool:
    return (
        "insufficient_quota" in (code, kind)
        or code in ("credit_balance_exhausted", "billing_hard_limit_reached", "insufficient_balance")
        or code.endswith("spend_limit_exceeded")
    )
