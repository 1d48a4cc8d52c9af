"""HTTP to addresses that were looked at: the one that was checked is the one that is connected to.

Never by way of a proxy, which would look the name up again, and never on to where a redirect points. Imported when
the first call is made, as httpx is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httpx

from app.services.targets.outbound import resolve, tls_context

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CONNECT_S: Final = 3.0
"""For each address of a host."""


class AddressRefusedError(Exception):
    """The host has an address that is not allowed."""


class CheckedTransport(httpx.AsyncBaseTransport):
    """Looks a host up, checks all its addresses, and connects to one of these very addresses."""

    def __init__(self, is_allowed: Callable[[str], bool]) -> None:
        """`is_allowed` tells whether an IP address may be connected to."""
        self._is_allowed = is_allowed
        self._inner = httpx.AsyncHTTPTransport(verify=tls_context(), trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; `Host` and the name that the certificate has to show stay those of the URL.

        Raises:
            AddressRefusedError: an address of the host is not allowed; nothing was sent.
            socket.gaierror: the host has no address.
            httpx.TransportError: no connection, or no answer.
        """
        host = request.url.host
        addresses = await resolve(host, request.url.port or (443 if request.url.scheme == "https" else 80))
        if not all(self._is_allowed(address) for address in addresses):
            raise AddressRefusedError
        request.extensions["sni_hostname"] = host
        return await self._send_to_first(request, addresses)

    async def _send_to_first(self, request: httpx.Request, addresses: Sequence[str]) -> httpx.Response:
        for address in addresses[:-1]:
            request.url = request.url.copy_with(host=address)
            try:
                return await self._inner.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent; the next address may answer
        request.url = request.url.copy_with(host=addresses[-1])
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()


def client(is_allowed: Callable[[str], bool], timeout_s: float) -> httpx.AsyncClient:
    """Return a client that reads no proxy settings and follows no redirect.

    Args:
        is_allowed: tells whether an IP address may be connected to.
        timeout_s: seconds for sending and for each wait for bytes.
    """
    return httpx.AsyncClient(
        transport=CheckedTransport(is_allowed),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(timeout_s, connect=CONNECT_S),
    )
