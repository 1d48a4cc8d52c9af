"""Bodies about AI providers and their keys."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from app.core.config import PROVIDER_NAMES
from app.core.validation import one_of, text

Status = Literal[
    "valid",
    "invalid",
    "expired",
    "limited_scope",
    "no_quota",
    "rate_limited",
    "blocked",
    "unreachable",
    "provider_error",
    "unknown",
]
ProviderName = Literal["openai", "anthropic", "google", "deepseek"]

MAX_KEY_CHARS = 512

ApiKey = Annotated[str, text(MAX_KEY_CHARS)]


class KeyTestBody(msgspec.Struct):
    """A key to try out; blanks around it are dropped."""

    provider: Annotated[ProviderName, one_of(*PROVIDER_NAMES)]
    api_key: ApiKey

    def __repr__(self) -> str:
        return f"KeyTestBody({self.provider})"


class KeyTestResult(msgspec.Struct):
    """What the provider says about a key."""

    valid: Annotated[bool | None, Meta(description="Whether the key is genuine; null if the answer does not tell")]
    status: Status
    message: Annotated[str, Meta(description="One sentence for a person")]
    provider: ProviderName


class ProviderInfo(msgspec.Struct):
    """One AI provider."""

    name: ProviderName
    label: Annotated[str, Meta(description="The name as people write it")]
    base_url: Annotated[str, Meta(description="Where it is reached from here")]
    keys_url: Annotated[str, Meta(description="Where people make their keys")]


class ProviderList(msgspec.Struct):
    """All providers, in the order in which they are offered."""

    items: list[ProviderInfo]
