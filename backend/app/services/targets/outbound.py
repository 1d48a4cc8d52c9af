"""Calls to the outside from a worker thread: with a deadline for the whole, and to addresses that were looked at.

Each call has an event loop of its own, so that whatever the other side does, it ends in time: a server that sends a
byte a second never runs into the time-out of a socket.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
from typing import TYPE_CHECKING, TypeVar

import anyio.to_thread

from app.core.exceptions import TooManyRequestsError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Coroutine

R = TypeVar("R")


def run_within(seconds: float, call: Callable[[], Coroutine[None, None, R]], *, places: threading.Semaphore) -> R:
    """Run a coroutine to its end, in this thread.

    Args:
        seconds: after which it is cancelled.
        call: returns the coroutine.
        places: one is taken meanwhile.

    Raises:
        TimeoutError: it was cancelled.
        TooManyRequestsError: no place is free.
    """

    async def whole() -> R:
        async with asyncio.timeout(seconds):
            return await call()

    if not places.acquire(blocking=False):
        raise TooManyRequestsError(
            "Too many calls of this kind are running. Please wait.", headers={"Retry-After": "5"}
        )
    try:
        return asyncio.run(whole())
    finally:
        places.release()


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host.

    Raises:
        socket.gaierror: there is none.
    """
    look_up = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    # not by the loop's own threads: it would wait for them at its end, as long as a dead name server takes
    found = await anyio.to_thread.run_sync(look_up, abandon_on_cancel=True)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Return how servers are verified: by the authorities of the system, a company's own included, and Mozilla's."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
