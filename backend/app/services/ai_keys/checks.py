"""Checks of API keys with their providers: what a provider says about a key now, and how often one may ask."""

from __future__ import annotations

import math
import re
import time
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread

from app.core.config import PROVIDER_NAMES
from app.core.exceptions import TooManyRequestsError
from app.schemas.ai import ProviderInfo
from app.services.ai_keys.limits import SlidingWindow
from app.services.providers import PROVIDERS, Verdict, base_url
from app.services.providers.outbound import Exchange, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.caller import Caller
    from app.core.config import Config
    from app.services.providers import Provider

CHECKS_A_MINUTE: Final = 10
WINDOW_S: Final = 60.0
MAX_THREADS: Final = 64
"""Several callers' whole limits: nobody waits for a thread because others asked a provider that hangs."""
SENDABLE: Final = re.compile(r"[!-~]+")
"""What a header can hold, and what a key is made of: a key with a blank in it is two words."""


class KeyCheck:
    """A check that is under way as soon as this exists; a key that no provider can have issued is not sent."""

    def __init__(self, provider: Provider, base: str, api_key: str) -> None:
        self._provider = provider
        self._exchange: Exchange | None = None
        if SENDABLE.fullmatch(api_key):
            self._exchange = Exchange(base + provider.check_path, provider.headers(api_key))

    def verdict(self) -> Verdict:
        """Wait for the provider's answer, ten seconds at most, and return what it says."""
        if self._exchange is None:
            return Verdict("invalid", "characters")
        answer = self._exchange.result()
        if isinstance(answer, NoAnswer):
            return Verdict("unreachable", answer.reason)
        return self._provider.verdict(answer.status, answer.body)


class KeyChecks:
    """Asks providers about keys. Nothing is stored, and no tokens are spent."""

    def __init__(self, config: Config, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._limit = SlidingWindow(CHECKS_A_MINUTE, WINDOW_S, clock=clock)
        self._threads = anyio.CapacityLimiter(MAX_THREADS)

    def providers(self) -> list[ProviderInfo]:
        """Return the providers, and where each is reached."""
        return [
            ProviderInfo(
                name=provider.name,
                label=PROVIDER_NAMES[provider.name],
                base_url=base_url(provider, self._config),
                keys_url=provider.keys_url,
            )
            for provider in PROVIDERS.values()
        ]

    def begin(self, provider_name: str, api_key: str) -> KeyCheck:
        """Begin a check that counts against nobody's limit, and return at once."""
        provider = PROVIDERS[provider_name]
        return KeyCheck(provider, base_url(provider, self._config), api_key)

    def check(self, provider_name: str, api_key: str, *, caller: Caller) -> Verdict:
        """Ask a provider about a key; takes ten seconds at most.

        Args:
            provider_name: one of `PROVIDERS`.
            api_key: whatever was entered.
            caller: whose limit it counts against.

        Raises:
            TooManyRequestsError: the caller has had their checks of this minute; the provider was not asked.
        """
        self._count(caller)
        return self.begin(provider_name, api_key).verdict()

    async def check_in_thread(self, provider_name: str, api_key: str, *, caller: Caller) -> Verdict:
        """Do as `check`, in a thread that only checks use: a provider that hangs holds up nothing else.

        Raises:
            TooManyRequestsError: as `check`; at once, whatever hangs.
        """
        self._count(caller)
        return await anyio.to_thread.run_sync(
            lambda: self.begin(provider_name, api_key).verdict(), limiter=self._threads, abandon_on_cancel=True
        )

    def _count(self, caller: Caller) -> None:
        wait_s = self._limit.take(caller.name)
        if wait_s > 0:
            raise TooManyRequestsError(
                f"At most {CHECKS_A_MINUTE} API keys a minute are checked. Please retry later.",
                headers={"Retry-After": str(math.ceil(wait_s))},
            )
