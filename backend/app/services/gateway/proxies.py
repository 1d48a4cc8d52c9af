"""Which way to a provider: directly, or through the proxy that the environment, or the system's settings, name."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from app.services.gateway.answer import ProviderAwayError
from app.services.providers.outbound import is_loopback, tls_context

if TYPE_CHECKING:
    import ssl

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxy:
    """Who is asked instead."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    authorization: bytes | None = field(repr=False)
    """For its `Proxy-Authorization` header."""


@dataclass(frozen=True, slots=True)
class Route:
    """How a provider is reached."""

    origin: str
    """Scheme, host and port."""
    host: str
    port: int
    tls: ssl.SSLContext | None
    proxy: Proxy | None

    @property
    def netloc(self) -> bytes:
        """Host and port, as a `Host` header names them."""
        port = "" if self.port == DEFAULT_PORTS[self.origin.partition(":")[0]] else f":{self.port}"
        return f"{_bracketed(self.host)}{port}".encode("ascii")

    @property
    def tunnel(self) -> bytes:
        """What a proxy is asked for where there is TLS."""
        return f"{_bracketed(self.host)}:{self.port}".encode("ascii")


def route_to(origin: str) -> Route:
    """Return the way to an origin; takes a while, as certificates and settings are read.

    No loopback address is ever asked for through a proxy.

    Raises:
        ProviderAwayError: there is a proxy that cannot be used.
    """
    parts = urlsplit(origin)
    host = parts.hostname or ""
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    tls = tls_context() if parts.scheme == "https" else None
    url = None if is_loopback(origin) else _proxy_for(parts.scheme, host, port)
    try:
        return Route(origin, host, port, tls, None if url is None else _proxy(url))
    except ValueError:
        raise ProviderAwayError(
            "provider-unreachable", "The proxy in the environment cannot be used for AI providers."
        ) from None


def _proxy_for(scheme: str, host: str, port: int) -> str | None:
    from urllib.request import getproxies, proxy_bypass  # with half an HTTP client; only the first call waits for it

    proxies = getproxies()
    named = {name.strip() for name in proxies.get("no", "").split(",")}
    if "*" in named or host in named or proxy_bypass(f"{_bracketed(host)}:{port}"):
        return None
    return proxies.get(scheme) or proxies.get("all") or None


def _proxy(url: str) -> Proxy:
    """Read the address of a proxy; raises ValueError if it is none."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError
    authorization = None
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = b"Basic " + base64.b64encode(credentials.encode())
    tls = tls_context() if parts.scheme == "https" else None
    return Proxy(parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme], tls, authorization)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
