"""Anthropic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from app.services.providers.base import Provider, Verdict, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = "2023-06-01"
_DISABLED: Final = "organization has been disabled"
_QUOTA_STATUSES: Final = (400, 403, 429)


class Anthropic(Provider):
    """Keys in `x-api-key`; errors carry `type`, and of late a code in `details`."""

    name = "anthropic"
    origin = "https://api.anthropic.com"
    keys_url = "https://console.anthropic.com/settings/keys"
    check_path = "/v1/models?limit=1"

    def headers(self, api_key: str) -> dict[str, str]:
        """Return the key's header and the version that the API demands."""
        return {"x-api-key": api_key, "anthropic-version": VERSION}

    def refusal(self, status: int, error: Mapping[str, Any]) -> Verdict | None:
        """Read `error.type` and the codes; an empty balance comes in several forms."""
        kind, message, codes = text_of(error, "type"), text_of(error, "message"), _codes(error)
        if status == 401 and kind == "authentication_error":
            return Verdict("invalid", "authentication-error")
        if status in (400, 403) and ("organization_on_hold" in codes or _DISABLED in message):
            return Verdict("blocked", "organization-on-hold")
        if (status == 402 and error) or (status in _QUOTA_STATUSES and _is_quota(kind, message, codes)):
            return Verdict("no_quota", "billing")
        if status == 403 and kind == "permission_error":
            return Verdict("limited_scope", "permission-error")
        if status == 403 and kind == "forbidden" and "request not allowed" in message:
            return Verdict("blocked", "country")
        return None


def _codes(error: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the error's codes, wherever it has them."""
    details = error.get("details")
    in_details = text_of(details, "error_code") if isinstance(details, dict) else ""
    return (text_of(error, "type"), text_of(error, "code"), text_of(error, "error_code"), in_details)


def _is_quota(kind: str, message: str, codes: tuple[str, ...]) -> bool:
    return (
        kind == "billing_error"
        or any(code.endswith(("spend_limit_reached", "billing_unavailable")) for code in codes)
        or "spend_limit_reached" in message
        or "credit balance" in message
        or "specified api usage limits" in message
    )
