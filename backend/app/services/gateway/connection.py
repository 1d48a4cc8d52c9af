"""One HTTP/1.1 connection to a provider: h11 knows the protocol, asyncio the socket, and here they meet.

A gateway asks little of an HTTP client and does it all day: pass bytes on as they come, give up in time, never ask
twice. The general clients do much more, and take several times as long for each call and each event of a stream.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import h11

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from app.services.gateway.call import Headers

MAX_HEAD_BYTES: Final = 100 * 1024
"""How long the head of an answer may be."""
MAX_WAITING_BYTES: Final = 256 * 1024
"""Of an answer that nobody takes; the provider has to wait then."""
_BAD_REQUEST: Final = 400
_REPEATABLE: Final = ("GET", "HEAD", "OPTIONS")


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


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent to a provider, byte for byte."""

    method: str
    target: bytes
    headers: Headers = field(repr=False)
    """All that are sent, in this order."""
    body: AsyncIterator[bytes] | None = field(default=None, repr=False)
    beginning: bytes = field(default=b"", repr=False)
    """What was read of the body already."""

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again if a connection ends without an answer (RFC 9110, section 9.2.2)."""
        return self.body is None and self.method in _REPEATABLE


class ConnectionBrokenError(Exception):
    """A connection ended before its answer did, or what came is no HTTP; holds one word, never what came."""


class Response:
    """An answer whose head has come; `close` it, whether it was read or not."""

    def __init__(self, head: h11.Response, connection: Connection, on_close: Callable[[], None]) -> None:
        self.status = head.status_code
        self.headers: Headers = [(bytes(name), bytes(value)) for name, value in head.headers]
        """As they were sent, names in lower case."""
        self._connection = connection
        self._on_close = on_close

    @property
    def is_success(self) -> bool:
        """Whether the provider has done what it was asked."""
        return 200 <= self.status < 300

    def header(self, name: bytes) -> str | None:
        """Return a header, all its values in one; None if there is none."""
        values = [value.decode("latin-1") for found, value in self.headers if found == name]
        return ", ".join(values) if values else None

    async def read(self) -> bytes:
        """Return whatever has come of the body, waiting if that is nothing; empty at its end.

        Raises:
            TimeoutError: nothing came for too long.
            ConnectionBrokenError: it will never be whole.
        """
        return await self._connection.read()

    def close(self) -> None:
        """End the call, if it has not ended by itself."""
        self._on_close()


class Connection(asyncio.Protocol):
    """A connection; one exchange at a time, and whoever has begun it is the only one who waits."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._transport: asyncio.Transport | None = None
        self._is_asked = False
        self._is_writable = True
        self._is_reading = True
        self._head: h11.Response | None = None
        self._arrived: list[bytes] = []
        self._size = 0
        self._is_whole = False
        self._fault: str | None = None
        """Why nothing will come any more."""
        self._waiter: asyncio.Future[None] | None = None
        self.has_heard = False
        """Whether any byte of the answer has come."""
        self.expiry: asyncio.TimerHandle | None = None
        """Closes it if it is not used again."""

    # --- what asyncio tells ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - that is what streams of bytes have
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that nothing comes any more."""
        self._fail("closed" if exc is None else type(exc).__name__)

    def pause_writing(self) -> None:
        """Note that the provider takes nothing at the moment."""
        self._is_writable = False

    def resume_writing(self) -> None:
        """Note that it does again."""
        self._is_writable = True
        self._wake()

    def data_received(self, data: bytes) -> None:
        """Take what came apart."""
        if not self._is_asked:  # a farewell, or a server that answers what nobody has asked
            self.abort()
            return
        self.has_heard = True
        self._parse(data)
        if self._size > MAX_WAITING_BYTES and self._is_reading and self._transport is not None:
            self._is_reading = False
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Note the end, which is also that of an answer without a length."""
        self._parse(b"")
        self._fail("closed")

    # --- what the gateway asks ---------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether another request can be sent."""
        return self._fault is None and self._transport is not None and not self._transport.is_closing()

    @property
    def transport(self) -> asyncio.Transport:
        """Return the transport of an open connection."""
        if self._transport is None:
            raise ConnectionBrokenError("closed")
        return self._transport

    async def ask(self, request: Request) -> h11.Response:
        """Send a request and return the head of the answer; if that fails, the connection is no more.

        Raises:
            TimeoutError: the provider took nothing, or said nothing, for too long.
            ConnectionBrokenError: it went away, or does not speak HTTP.
        """
        self._is_asked = True
        try:
            await self._send(request)
            while self._head is None:
                await self._change(self._patience.silence_s)
        except h11.LocalProtocolError:
            self.abort()
            raise ConnectionBrokenError("request") from None
        except BaseException:
            self.abort()
            raise
        return self._head

    async def read(self) -> bytes:
        """Return what has come of the body; see `Response.read`."""
        while not self._arrived:
            if self._is_whole:
                return b""
            await self._change(self._patience.silence_s)
        piece = self._arrived[0] if len(self._arrived) == 1 else b"".join(self._arrived)
        self._arrived.clear()
        self._size = 0
        if not self._is_reading:
            self._is_reading = True
            self.transport.resume_reading()
        return piece

    def renew(self) -> bool:
        """Make ready for the next exchange; False if there can be none."""
        is_over = self._is_whole and self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        if not (is_over and self.is_open and self._is_reading) or self._http.trailing_data[0]:
            return False
        self._http.start_next_cycle()
        self._is_asked = self.has_heard = self._is_whole = False
        self._head = None
        self._arrived.clear()
        self._size = 0
        return True

    def abort(self) -> None:
        """End it at once."""
        if self._transport is not None:
            self._transport.abort()
        self._fail("aborted")

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _send(self, request: Request) -> None:
        """Send a request, unless the provider refuses it before it has all of it."""
        head = h11.Request(method=request.method, target=request.target, headers=request.headers)
        unsent = self._http.send(head) or b""
        if request.body is not None:
            unsent += self._http.send(h11.Data(data=request.beginning)) or b""
            async for piece in request.body:
                if not await self._write(unsent):
                    return
                unsent = self._http.send(h11.Data(data=piece)) or b""
        unsent += self._http.send(h11.EndOfMessage()) or b""
        if unsent:
            await self._write(unsent)

    async def _write(self, data: bytes) -> bool:
        """Send bytes as soon as the provider takes any; False if it does not want any more."""
        if not self._is_wanted():
            return False
        self.transport.write(data)
        while not self._is_writable:
            if not self._is_wanted():
                return False
            await self._change(self._patience.send_s)
        return True

    def _is_wanted(self) -> bool:
        """Tell whether the rest of the request is of any use."""
        is_refused = self._head is not None and self._head.status_code >= _BAD_REQUEST
        return self.is_open and not self._is_whole and not is_refused

    async def _change(self, patience_s: float) -> None:
        """Wait until something happens.

        Raises:
            TimeoutError: nothing does.
            ConnectionBrokenError: nothing ever will.
        """
        if self._fault is not None:
            raise ConnectionBrokenError(self._fault)
        loop = asyncio.get_running_loop()
        self._waiter = waiter = loop.create_future()
        timer = loop.call_later(patience_s, _give_up, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, fault: str) -> None:
        if self._fault is None:
            self._fault = fault
        self._wake()

    def _parse(self, data: bytes) -> None:
        """Take bytes apart; empty is the end of the connection."""
        if self._is_whole or self._fault is not None:
            return
        try:
            self._http.receive_data(data)
            while not self._is_whole:
                event = self._http.next_event()
                if isinstance(event, h11.Data):
                    self._arrived.append(bytes(event.data))
                    self._size += len(event.data)
                elif isinstance(event, h11.Response):
                    self._head = event
                elif isinstance(event, h11.EndOfMessage):
                    self._is_whole = True
                elif not isinstance(event, h11.InformationalResponse):
                    return  # more has to come
        except h11.RemoteProtocolError:
            self._fail("protocol")
            self.abort()


def _give_up(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())
