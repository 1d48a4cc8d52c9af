"""The threads that handlers run in: those that read, those that write, and those that wait for somebody else's server.

None of them holds up the others, and a call that finds all threads of its kind busy is told so after a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import Executor, Future, InvalidStateError
from contextvars import ContextVar
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

import anyio
import anyio.to_thread

from app.core.exceptions import DatabaseAwayError
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
        self._lanes = {kind: _Lane(kind, PLACES[kind]) for kind in (READ, WRITE)}

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Begin a call, in the event loop; it raises `DatabaseAwayError` if it found no thread in time."""
        return self._lanes[KIND.get()].submit(lambda: fn(*args, **kwargs))


class _Asked:
    """A call that no thread has taken yet, or that has been given up."""

    def __init__(self, action: Callable[[], Any]) -> None:
        self.action = action
        self.answer: Future[Any] = Future()
        self.is_taken = False


class _Lane:
    """Some threads, each started when all others are busy."""

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._threads = 0
        self._under_way = 0
        self._lock = threading.Lock()
        self._queue: SimpleQueue[_Asked] = SimpleQueue()

    def submit(self, action: Callable[[], Any]) -> Future[Any]:
        asked = _Asked(action)
        with self._lock:
            self._under_way += 1
            has_to_wait = self._under_way > self._most
            if self._threads < min(self._under_way, self._most):
                self._threads += 1
                threading.Thread(target=self._live, name=f"{self._name}-{self._threads}", daemon=True).start()
        self._queue.put(asked)
        if has_to_wait:
            asyncio.get_running_loop().call_later(PLACE_TIMEOUT_S, self._give_up, asked)
        return asked.answer

    def _take(self, asked: _Asked) -> bool:
        with self._lock:
            is_first, asked.is_taken = not asked.is_taken, True
            return is_first

    def _give_up(self, asked: _Asked) -> None:
        if self._take(asked):
            with contextlib.suppress(InvalidStateError):  # its client has left
                asked.answer.set_exception(DatabaseAwayError(BUSY, code="busy"))

    def _live(self) -> None:
        while True:
            self._run(self._queue.get())
            with self._lock:
                self._under_way -= 1

    def _run(self, asked: _Asked) -> None:
        if not self._take(asked) or not asked.answer.set_running_or_notify_cancel():
            return
        try:
            result = asked.action()
        except BaseException as exc:  # noqa: BLE001 - raised again where it is waited for
            asked.answer.set_exception(exc)
        else:
            asked.answer.set_result(result)
