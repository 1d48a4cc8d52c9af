"""Anthropic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.services.providers.base import Provider, Verdict, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "2023-06-01"


class Anthropic(Provider):
    """Keys in `x-api-key`; errors carry `type`."""

    name = "anthropic"
    origin = "https://api.anthropic.com"
    check_path = "/v1/models?limit=1"

    def headers(self, api_key: str) -> dict[str, str]:
        """Return the key's header and the version that the API demands."""
        return {"x-api-key": api_key, "anthropic-version": VERSION}

    def refusal(self, status: int, error: Mapping[str, Any]) -> Verdict | None:
        """Read `error.type`; an empty balance comes in three forms."""
        kind, message = text_of(error, "type"), text_of(error, "message")
        if status == 401 and kind == "authentication_error":
            return Verdict("invalid", kind)
        if status == 403 and kind == "permission_error":
            return Verdict("limited_scope", kind)
        if status == 402 or kind == "billing_error" or "credit balance" in message:
            return Verdict("no_quota", "billing")
        if status == 429 and "enforced_spend_limit_reached" in (kind, text_of(error, "code")):
            return Verdict("no_quota", "spend-limit")
        return None
