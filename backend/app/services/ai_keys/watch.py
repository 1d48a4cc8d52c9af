"""What the vault is told about a secret that is a key of an AI provider: whose it is, and when it is checked next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.services.ai_keys.schedule import next_check
from app.services.providers import origin_of, provider_of
from app.services.vault.vault import NOT_WATCHED, Watched

if TYPE_CHECKING:
    from app.core.config import Config
    from app.services.vault.rows import SecretName
    from app.services.vault.vault import Watch


def watch_keys(config: Config) -> Watch:
    """Return what pins a provider's key to the provider's host, and lets it be checked again."""

    def watch(which: SecretName) -> Watched:
        provider = provider_of(which)
        if provider is None:
            return NOT_WATCHED
        return Watched(origin_of(provider, config), next_check(config.revalidate_hours))

    return watch
