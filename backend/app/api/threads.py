"""Threads for handlers that wait for somebody else's server: they hold up no other calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import anyio
import anyio.to_thread

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R")

MAX_THREADS: Final = 64
"""Several callers' whole limits: nobody waits for a thread because others asked a server that hangs."""
_threads: Final = anyio.CapacityLimiter(MAX_THREADS)


async def in_waiting_thread(action: Callable[[], R], limiter: anyio.CapacityLimiter = _threads) -> R:
    """Run a blocking action in a thread that only such actions use, or only those with the same `limiter`."""
    return await anyio.to_thread.run_sync(action, limiter=limiter, abandon_on_cancel=True)
