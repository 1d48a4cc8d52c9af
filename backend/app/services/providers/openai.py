"""OpenAI."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

from app.schemas.ai import ProviderName
from app.services.providers.base import Provider, Verdict, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_ADDRESS: Final = re.compile(r"\bip\b|\baddress\b")
_QUOTA_CODES: Final = (
    "insufficient_quota",
    "credit_balance_exhausted",
    "billing_hard_limit_reached",
    "billing_not_active",
    "usage_limit_exceeded",
    "organization_usage_limit_exceeded",
)
_FORBIDDEN_TYPES: Final = ("invalid_request_error", "insufficient_permissions", "permission_error")


class OpenAI(Provider):
    """Bearer keys; errors carry `code` and `type`."""

    name: ClassVar[ProviderName] = "openai"
    origin = "https://api.openai.com"
    keys_url = "https://platform.openai.com/api-keys"
    check_path = "/v1/models"

    def headers(self, api_key: str) -> dict[str, str]:
        """Return the bearer header."""
        return {"Authorization": f"Bearer {api_key}"}

    def refusal(self, status: int, error: Mapping[str, Any]) -> Verdict | None:
        """Read `error.code`, `error.type`, and for rights and addresses the message, which alone tells those apart."""
        code, kind, message = (text_of(error, name) for name in ("code", "type", "message"))
        if status == 401 and code == "invalid_api_key":
            return Verdict("invalid", "invalid-api-key")
        if status in (401, 403):
            return _denied(code, message) or _forbidden(status, kind)
        if status in (400, 402, 429) and _is_quota(code, kind):
            return Verdict("no_quota", "quota")
        return None


def _denied(code: str, message: str) -> Verdict | None:
    """Tell why a genuine key is not let in; without a reason that is known it may be anything."""
    if "country" in code or "country" in message:
        return Verdict("blocked", "country")
    if "missing scopes" in message or "insufficient permissions" in message:
        return Verdict("limited_scope", "missing-scopes")
    if _ADDRESS.search(code.replace("_", " ")) or _ADDRESS.search(message):
        return Verdict("blocked", "address")
    if "deactivated" in code or "deactivated" in message:
        return Verdict("blocked", "deactivated")
    return None


def _forbidden(status: int, kind: str) -> Verdict | None:
    return Verdict("limited_scope", "forbidden") if status == 403 and kind in _FORBIDDEN_TYPES else None


def _is_quota(code: str, kind: str) -> bool:
    return kind == "insufficient_quota" or code in _QUOTA_CODES or code.endswith("spend_limit_exceeded")
