"""The one HTTP client of the gateway: made at first use, off the event loop, closed with the process."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from anyio import to_thread

from app.services.gateway.answer import ProviderAwayError
from app.services.providers import PROVIDERS, base_url
from app.services.providers.outbound import is_loopback, tls_context

if TYPE_CHECKING:
    import httpx

    from app.core.config import Config

MAX_CONNECTIONS: Final = 256
MAX_IDLE: Final = 32
IDLE_CONNECTION_S: Final = 20.0
"""Shorter than what servers grant, so that no call meets a connection that is just being closed."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for a provider."""

    connect_s: float = 10.0
    """Also for a free connection."""
    send_s: float = 60.0
    """Without a byte being taken."""
    silence_s: float = 600.0
    """Without a byte being sent: models think for minutes before the first one."""
    error_s: float = 10.0
    """For the whole body of an error."""


class GatewayClient:
    """Makes the client when it is first needed; belongs to one event loop."""

    def __init__(self, config: Config, patience: Patience) -> None:
        self._config = config
        self._patience = patience
        self._client: httpx.AsyncClient | None = None
        self._making = asyncio.Lock()

    async def get(self) -> httpx.AsyncClient:
        """Return the client."""
        async with self._making:
            if self._client is None:
                self._client = await to_thread.run_sync(self._make)
            return self._client

    async def close(self) -> None:
        """Close its connections, if there are any."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _make(self) -> httpx.AsyncClient:
        """Make it, which takes a while: the library is imported and the authorities are read."""
        import httpx

        # proxies come from the environment, but no loopback address is ever asked for through one
        direct: dict[str, httpx.AsyncBaseTransport | None] = {f"all://{host}": None for host in self._loopbacks()}
        try:
            return self._client_with(direct)
        except (ImportError, ValueError, httpx.InvalidURL):
            raise ProviderAwayError(
                "provider-unreachable", "The proxy in the environment cannot be used for AI providers."
            ) from None

    def _client_with(self, mounts: dict[str, httpx.AsyncBaseTransport | None]) -> httpx.AsyncClient:
        import httpx

        patience = self._patience
        return httpx.AsyncClient(
            verify=tls_context(),
            timeout=httpx.Timeout(
                connect=patience.connect_s, write=patience.send_s, read=patience.silence_s, pool=patience.connect_s
            ),
            limits=httpx.Limits(
                max_connections=MAX_CONNECTIONS,
                max_keepalive_connections=MAX_IDLE,
                keepalive_expiry=IDLE_CONNECTION_S,
            ),
            follow_redirects=False,
            mounts=mounts,
        )

    def _loopbacks(self) -> set[str]:
        urls = (base_url(provider, self._config) for provider in PROVIDERS.values())
        hosts = {urlsplit(url).hostname or "" for url in urls if is_loopback(url)}
        return {f"[{host}]" if ":" in host else host for host in hosts}


@functools.cache
def _exact_url() -> type[httpx.URL]:
    """Return the class of addresses whose path and query go out as they are: the library would normalise them."""
    import httpx

    class ExactUrl(httpx.URL):
        target: bytes

        @property
        def raw_path(self) -> bytes:
            return self.target

    return ExactUrl


def exact_url(origin: str, target: bytes) -> httpx.URL:
    """Return an address, also for whoever is asked through a proxy.

    Args:
        origin: scheme, host and port.
        target: path and query, byte for byte.
    """
    url = _exact_url()(origin)
    url.target = target  # type: ignore[attr-defined]
    return url
