"""Google Gemini."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.services.providers.base import Provider, Verdict, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class Google(Provider):
    """Keys in `x-goog-api-key`, never in the URL; errors carry `status` and ErrorInfo details."""

    name = "google"
    origin = "https://generativelanguage.googleapis.com"
    check_path = "/v1beta/models?pageSize=1"

    def headers(self, api_key: str) -> dict[str, str]:
        """Return the key's header."""
        return {"x-goog-api-key": api_key}

    def refusal(self, status: int, error: Mapping[str, Any]) -> Verdict | None:
        """Read `error.status` and the ErrorInfo reason; only the message tells an expired or a leaked key."""
        state, message = text_of(error, "status"), text_of(error, "message")
        if status == 400 and "API_KEY_INVALID" in _reasons(error):
            return Verdict("expired", "expired") if "expired" in message else Verdict("invalid", "api-key-invalid")
        if status == 400 and state == "failed_precondition":
            return Verdict("blocked", "failed-precondition")
        if status == 403 and "leaked" in message:
            return Verdict("blocked", "leaked")
        if status == 403 and state == "permission_denied":
            return Verdict("limited_scope", "permission-denied")
        return None


def _reasons(error: Mapping[str, Any]) -> set[str]:
    details = error.get("details")
    if not isinstance(details, list):
        return set()
    return {str(item.get("reason")) for item in details if isinstance(item, dict)}
