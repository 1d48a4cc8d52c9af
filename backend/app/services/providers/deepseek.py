"""DeepSeek, which answers like OpenAI, and with 402 when the balance is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.services.providers.base import Verdict
from app.services.providers.openai import OpenAI

if TYPE_CHECKING:
    from collections.abc import Mapping


class DeepSeek(OpenAI):
    """See the module."""

    name = "deepseek"
    origin = "https://api.deepseek.com"

    def refusal(self, status: int, error: Mapping[str, Any]) -> Verdict | None:
        """Read the empty balance first."""
        if status == 402:
            return Verdict("no_quota", "balance")
        found = super().refusal(status, error)
        if found is None and status == 401 and str(error.get("type")) == "authentication_error":
            return Verdict("invalid", "authentication_error")
        return found
