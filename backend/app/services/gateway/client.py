"""The gateway's connections to providers: opened when needed, kept for the next call, closed with the process."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from anyio import to_thread

from app.services.gateway.connection import Connection, ConnectionBrokenError, Patience, Request, Response
from app.services.gateway.proxies import Route, route_to

if TYPE_CHECKING:
    import ssl

MAX_CALLS: Final = 256
"""At once."""
MAX_IDLE: Final = 32
IDLE_CONNECTION_S: Final = 20.0
"""Shorter than what servers grant, so that no call meets a connection that is just being closed."""
_HAPPY_EYEBALLS_S: Final = 0.25
"""After so long the next address of a host is tried beside the first (RFC 8305, section 8)."""


class GatewayClient:
    """Sends requests; belongs to one event loop."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._places = asyncio.Semaphore(MAX_CALLS)
        self._routes: dict[str, Route] = {}
        self._busy: set[Connection] = set()
        self._idle: dict[Connection, str] = {}
        """Connections that are kept, and the origin they lead to; the one used last comes last."""

    async def send(self, origin: str, request: Request) -> Response:
        """Send a request and return the answer, of which only the head has been read.

        Args:
            origin: scheme, host and port of the provider.
            request: without the headers that the way there asks for, `Host` among them.

        Raises:
            TimeoutError: no connection was made in time, or the provider took or said nothing.
            OSError, ConnectionBrokenError: it cannot be reached.
            ProviderAwayError: there is a proxy that cannot be used.
        """
        route = self._routes.get(origin)
        if route is None:
            route = self._routes[origin] = await to_thread.run_sync(route_to, origin)
        if request.body is not None:  # a kept connection would age while its caller still thinks
            request = replace(request, beginning=await anext(request.body, b""))
        if self._places.locked():
            async with asyncio.timeout(self._patience.connect_s):
                await self._places.acquire()
        else:
            await self._places.acquire()
        try:
            return await self._answered(route, _for_route(request, route))
        except BaseException:
            self._places.release()
            raise

    async def close(self) -> None:
        """Close all connections."""
        for connection in (*self._busy, *self._idle):
            connection.abort()
        self._busy.clear()
        self._idle.clear()
        await asyncio.sleep(0)  # transports close in the next turn of the loop

    async def _answered(self, route: Route, request: Request) -> Response:
        while (kept := self._take(route.origin)) is not None:
            try:
                return await self._asked(kept, route, request)
            except ConnectionBrokenError:  # closed while the request was on its way
                if kept.has_heard or not request.is_repeatable:
                    raise
        return await self._asked(await self._connected(route), route, request)

    async def _asked(self, connection: Connection, route: Route, request: Request) -> Response:
        self._busy.add(connection)
        try:
            head = await connection.ask(request)
        except BaseException:
            self._busy.discard(connection)
            raise
        return Response(head, connection, functools.partial(self._ended, connection, route.origin))

    def _ended(self, connection: Connection, origin: str) -> None:
        """Keep a connection for the next call, if it can serve one."""
        if connection not in self._busy:
            return
        self._busy.remove(connection)
        self._places.release()
        if not connection.renew():
            connection.abort()
            return
        if len(self._idle) >= MAX_IDLE:
            self._expire(next(iter(self._idle)))
        self._idle[connection] = origin
        connection.expiry = asyncio.get_running_loop().call_later(IDLE_CONNECTION_S, self._expire, connection)

    def _take(self, origin: str) -> Connection | None:
        """Return a kept connection, the one used last; None if none is left."""
        for connection in reversed([kept for kept, leads_to in self._idle.items() if leads_to == origin]):
            is_open = connection.is_open
            self._forget(connection)
            if is_open:
                return connection
        return None

    def _forget(self, connection: Connection) -> None:
        del self._idle[connection]
        if connection.expiry is not None:
            connection.expiry.cancel()

    def _expire(self, connection: Connection) -> None:
        self._forget(connection)
        connection.abort()

    async def _connected(self, route: Route) -> Connection:
        async with asyncio.timeout(self._patience.connect_s):
            if route.proxy is None:
                connection = await self._dialled(route.host, route.port, route.tls)
            else:
                connection = await self._dialled(route.proxy.host, route.proxy.port, route.proxy.tls)
                if route.tls is not None:
                    connection = await self._tunnelled(connection, route, route.tls)
        return connection

    async def _dialled(self, host: str, port: int, tls: ssl.SSLContext | None) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self._patience),
            host,
            port,
            ssl=tls,
            server_hostname=host if tls is not None else None,
            happy_eyeballs_delay=_HAPPY_EYEBALLS_S,
        )
        return connection

    async def _tunnelled(self, proxy: Connection, route: Route, tls: ssl.SSLContext) -> Connection:
        """Have a proxy connect to the provider, and speak TLS with that one."""
        headers = [(b"host", route.tunnel), *_proxy_headers(route)]
        head = await proxy.ask(Request("CONNECT", route.tunnel, headers))
        if not 200 <= head.status_code < 300:
            proxy.abort()
            raise ConnectionBrokenError("proxy")
        connection = Connection(self._patience)
        try:
            transport = await asyncio.get_running_loop().start_tls(
                proxy.transport, connection, tls, server_hostname=route.host
            )
        except BaseException:
            proxy.abort()
            raise
        if transport is None:  # closed in this very moment
            raise ConnectionBrokenError("closed")
        connection.connection_made(transport)
        return connection


def _for_route(request: Request, route: Route) -> Request:
    """Add what the way there asks for: a proxy without a tunnel is told the whole address."""
    headers = [(b"host", route.netloc), *request.headers]
    if route.proxy is None or route.tls is not None:
        return replace(request, headers=headers)
    target = route.origin.encode("ascii") + request.target
    return replace(request, target=target, headers=[*headers, *_proxy_headers(route)])


def _proxy_headers(route: Route) -> list[tuple[bytes, bytes]]:
    authorization = None if route.proxy is None else route.proxy.authorization
    return [] if authorization is None else [(b"proxy-authorization", authorization)]
