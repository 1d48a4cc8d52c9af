"""DeepSeek, which answers like OpenAI, and with 402 when the balance is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.services.providers.base import Verdict, text_of
from app.services.providers.openai import OpenAI

if TYPE_CHECKING:
    from collections.abc import Mapping


class DeepSeek(OpenAI):
    """See the module."""

    name = "deepseek"
    origin = "https://api.deepseek.com"
    keys_url = "https://platform.deepseek.com/api_keys"

    def refusal(self, status: int, error: Mapping[str, Any]) -> Verdict | None:
        """Read what only DeepSeek says first: an empty balance, and a bad key by its type."""
        if status == 402 and error:
            return Verdict("no_quota", "balance")
        if status == 401 and text_of(error, "type") == "authentication_error":
            return Verdict("invalid", "authentication-error")
        return super().refusal(status, error)
