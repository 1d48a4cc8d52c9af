"""The threads that handlers run in: those that read, those that write, and those that wait for somebody else's server.

None of them holds up the others, and a call that finds all threads of its kind busy is told so after a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import Executor, Future, InvalidStateError
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

import anyio
import anyio.to_thread

from app.core.exceptions import DatabaseAwayError
from app.core.workers import Workers
from app.db.pool import PLACE_TIMEOUT_S
from app.db.session import BUSY, PLACES, READ, WRITE

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")

KIND: Final[ContextVar[str]] = ContextVar("kind", default=READ)
"""Of the request that is being answered."""

MAX_THREADS: Final = 64
"""Several callers' whole limits: nobody waits for a thread because others asked a server that hangs."""
_threads: Final = anyio.CapacityLimiter(MAX_THREADS)


async def in_waiting_thread(action: Callable[[], R], limiter: anyio.CapacityLimiter = _threads) -> R:
    """Run a blocking action in a thread that only such actions use, or only those with the same `limiter`."""
    return await anyio.to_thread.run_sync(action, limiter=limiter, abandon_on_cancel=True)


class CallThreads(Executor):
    """Runs each call in one of the threads of its `KIND`, as many as there are places in the database for them."""

    def __init__(self) -> None:
        self._workers = {kind: Workers(kind, PLACES[kind]) for kind in (READ, WRITE)}

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Begin a call, in the event loop; it raises `DatabaseAwayError` if it found no thread in time."""
        call = _Call(lambda: fn(*args, **kwargs))
        if self._workers[KIND.get()].begin(call.run):
            asyncio.get_running_loop().call_later(PLACE_TIMEOUT_S, call.give_up)
        return call.answer


class _Call:
    """A call that a thread carries out, or that has been given up because none took it in time."""

    def __init__(self, action: Callable[[], Any]) -> None:
        self.answer: Future[Any] = Future()
        self._action = action
        self._is_taken = False
        self._lock = threading.Lock()

    def run(self) -> Callable[[], None]:
        if not self._take() or not self.answer.set_running_or_notify_cancel():
            return _nothing
        try:
            return partial(self.answer.set_result, self._action())
        except BaseException as exc:  # noqa: BLE001 - raised again where it is waited for
            return partial(self.answer.set_exception, exc)

    def give_up(self) -> None:
        if self._take():
            with contextlib.suppress(InvalidStateError):  # its client has left
                self.answer.set_exception(DatabaseAwayError(BUSY, code="busy"))

    def _take(self) -> bool:
        """Tell whether nobody has taken the call before."""
        with self._lock:
            is_first, self._is_taken = not self._is_taken, True
            return is_first


def _nothing() -> None:
    """Nobody waits to be told."""
