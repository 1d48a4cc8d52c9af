"""Google Gemini."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from app.services.providers.base import Provider, Verdict, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACE_REASONS: Final = {
    "API_KEY_IP_ADDRESS_BLOCKED",
    "API_KEY_HTTP_REFERRER_BLOCKED",
    "API_KEY_ANDROID_APP_BLOCKED",
    "API_KEY_IOS_APP_BLOCKED",
    "LOCATION_POLICY_VIOLATED",
}
"""The key is bound to other places than this one."""


class Google(Provider):
    """Keys in `x-goog-api-key`, never in the URL; errors carry `status` and ErrorInfo details."""

    name = "google"
    origin = "https://generativelanguage.googleapis.com"
    keys_url = "https://aistudio.google.com/apikey"
    check_path = "/v1beta/models?pageSize=1"

    def headers(self, api_key: str) -> dict[str, str]:
        """Return the key's header."""
        return {"x-goog-api-key": api_key}

    def refusal(self, status: int, error: Mapping[str, Any]) -> Verdict | None:
        """Read `error.status` and the ErrorInfo reason; only the message tells an expired or a leaked key."""
        state, message, reasons = text_of(error, "status"), text_of(error, "message"), _reasons(error)
        if status == 403 and "leaked" in message:
            return Verdict("blocked", "leaked")
        if status in (400, 401, 403) and "API_KEY_INVALID" in reasons:
            return Verdict("expired", "expired") if "expired" in message else Verdict("invalid", "api-key-invalid")
        if status == 400 and state == "failed_precondition":
            return Verdict("blocked", "failed-precondition")
        if status == 403 and state == "permission_denied" and "unregistered callers" not in message:
            return _denied(reasons)
        return None


def _denied(reasons: set[str]) -> Verdict:
    if "CONSUMER_SUSPENDED" in reasons:
        return Verdict("blocked", "suspended")
    if reasons & _PLACE_REASONS:
        return Verdict("blocked", "address")
    return Verdict("limited_scope", "permission-denied")


def _reasons(error: Mapping[str, Any]) -> set[str]:
    details = error.get("details")
    if not isinstance(details, list):
        return set()
    return {str(item.get("reason")) for item in details if isinstance(item, dict)}
