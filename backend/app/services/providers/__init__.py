"""AI providers: one small adapter each. A new one is a module here and a line in `PROVIDERS`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from app.services.providers.anthropic import Anthropic
from app.services.providers.base import Provider, Verdict, validity_of
from app.services.providers.deepseek import DeepSeek
from app.services.providers.google import Google
from app.services.providers.openai import OpenAI
from app.services.vault.destinations import NOWHERE, provider_destination

if TYPE_CHECKING:
    from app.core.config import Config
    from app.services.vault.rows import SecretName

PROVIDERS: Final[dict[str, Provider]] = {
    provider.name: provider for provider in (OpenAI(), Anthropic(), Google(), DeepSeek())
}
INITIAL: Final = "initial:"
"""What the names of the users' initial keys begin with; they belong to the system's owner `default`."""
KEY_OWNERS: Final = ("system", "user", "tenant", "server")
"""Kinds of owners that have keys of AI providers, each under the provider's name."""


def provider_of(which: SecretName) -> Provider | None:
    """Return the provider that a secret is a key of; None if it is something else."""
    if which.owner_kind not in KEY_OWNERS:
        return None
    name = which.name.removeprefix(INITIAL) if which.owner_kind == "system" else which.name
    return PROVIDERS.get(name)


def base_url(provider: Provider, config: Config) -> str:
    """Return where a provider is reached, without a slash at the end; its paths are appended."""
    return config.provider_urls.get(provider.name, provider.origin)


def origin_of(provider: Provider, config: Config) -> str:
    """Return scheme, host and port of where a provider is reached: what its keys are pinned to."""
    parts = urlsplit(base_url(provider, config))
    return f"{parts.scheme}://{parts.netloc}"


def is_for(provider: Provider, destination: str, config: Config) -> bool:
    """Tell whether a key with that destination may go where its provider is reached; very old ones have none."""
    origin = origin_of(provider, config)
    return destination in (provider_destination(origin), NOWHERE if origin == provider.origin else None)


__all__ = [
    "INITIAL",
    "KEY_OWNERS",
    "PROVIDERS",
    "Provider",
    "Verdict",
    "base_url",
    "is_for",
    "origin_of",
    "provider_of",
    "validity_of",
]
